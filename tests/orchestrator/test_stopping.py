"""Stop rules, each on tables of histories, and their order."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.spec import (
    BelowUntrainedRule,
    CollapseRule,
    Direction,
    MaxEpochsRule,
    NonFiniteRule,
    Objective,
    PlateauRule,
    TargetRule,
)
from orchestrator.stopping import decide
from orchestrator.trial import Cause, Measurement

UP = Objective(metric="val/x", direction=Direction.MAXIMIZE)
DOWN = Objective(metric="val/x", direction=Direction.MINIMIZE)


def history(*values, metric="val/x", start=0):
    """One measurement a value from step `start` on; None is a measurement without the metric."""
    return [
        Measurement(step, {} if value is None else {metric: value}, 0.1, step)
        for step, value in enumerate(values, start=start)
    ]


def plateau(**fields):
    return PlateauRule(type="plateau", **fields)


def collapse(**fields):
    return CollapseRule(type="collapse", **fields)


def untrained(**fields):
    return BelowUntrainedRule(type="below_untrained", **fields)


@pytest.mark.parametrize(
    ("rule", "objective", "values", "stops"),
    [
        (plateau(patience=2), UP, [0, 1, 1], False),
        (plateau(patience=2), UP, [0, 1, 1, 1], True),
        (plateau(patience=2), UP, [9, 1, 2, 3], False),  # step 0 is no best
        (plateau(patience=2), UP, [0, 3, 2, 4, 4], False),
        (plateau(patience=2), UP, [0, 3, None, None, 3], False),  # a missing metric is no measurement
        (plateau(patience=2), DOWN, [0, 3, 2, 1], False),
        (plateau(patience=2), DOWN, [0, 1, 2, 3], True),
        (plateau(patience=2, min_delta=0.5), UP, [0, 1, 1.25, 1.5, 1.5], False),  # small gains add up to 0.5
        (plateau(patience=2, min_delta=0.5), UP, [0, 1, 1.25, 1.25], True),
        (plateau(patience=1, min_delta=0.5), UP, [0, 1, 1.5], False),  # exactly min_delta counts
        (plateau(patience=1), UP, [0], False),
        (plateau(patience=1), UP, [], False),
        (TargetRule(type="target", value=0.9), UP, [0, 0.8], False),
        (TargetRule(type="target", value=0.9), UP, [0, 0.9], True),
        (TargetRule(type="target", value=0.9), UP, [1.0, 0.1], False),  # the untrained model settles nothing
        (TargetRule(type="target", value=0.9), UP, [0, 0.95, 0.1], True),
        (TargetRule(type="target", value=0.1), DOWN, [1, 0.1], True),
        (TargetRule(type="target", value=0.1), DOWN, [1, 0.2], False),
        (MaxEpochsRule(type="max_epochs", epochs=2), UP, [0, 1], False),
        (MaxEpochsRule(type="max_epochs", epochs=2), UP, [0, 1, 2], True),
        (MaxEpochsRule(type="max_epochs", epochs=1), UP, [], False),
        (untrained(after_epochs=2), UP, [0.5, 0.4], False),
        (untrained(after_epochs=2), UP, [0.5, 0.4, 0.3], True),
        (untrained(after_epochs=2), UP, [0.5, 0.5, 0.5], True),  # not better is not better
        (untrained(after_epochs=2), UP, [0.5, 0.6, 0.3], False),  # the best counts, not the last
        (untrained(after_epochs=2), DOWN, [0.5, 0.6, 0.7], True),
        (untrained(after_epochs=2), UP, [None, 0.4, 0.3], False),  # the untrained model was not measured
        (untrained(after_epochs=2), UP, [0.5, 0.4, None], False),
    ],
)
def test_rules_on_the_objective(rule, objective, values, stops):
    ending = decide([rule], history(*values), objective)
    assert (ending is not None) is stops
    if ending is not None:
        assert ending.reason == rule.type
        assert ending.detail["rule"] == rule.type
        assert ending.detail["step"] <= len(values) - 1
        assert "threshold" in ending.detail
        assert ending.cause is (Cause.SICK if rule.type == "below_untrained" else Cause.SETTLED)


@pytest.mark.parametrize(
    ("metric", "values", "stops"),
    [
        ("val/resultant_length", [1.0, 1.0], False),  # untrained networks look collapsed
        ("val/resultant_length", [1.0, 1.0, 0.995], True),
        ("val/resultant_length", [0, 0, 0.99], True),
        ("val/resultant_length", [0, 0, 0.98], False),
        ("val/resultant_length", [0, 0, 0.999, 0.5], False),  # the newest counts
        ("val/resultant_length", [0, 0, 0.999, None], True),
        ("val/video_resultant_length", [0, 0, 1.0], True),
        ("val/effective_rank", [9, 9, 1.5], True),
        ("val/effective_rank", [9, 9, 1.6], False),
        ("val/text_effective_rank", [9, 9, 1.0], True),
        ("val/rank", [9, 9, 1.0], False),
        ("train/resultant_length", [0, 0, 1.0], False),
        ("val/effective_rank", [9, 9, math.nan], False),
    ],
)
def test_collapse(metric, values, stops):
    ending = decide([collapse()], history(*values, metric=metric), UP)
    assert (ending is not None) is stops
    if ending is not None:
        assert (ending.cause, ending.reason, ending.detail["metric"]) == (Cause.SICK, "collapse", metric)


def test_a_rule_can_watch_another_metric_with_its_own_direction():
    rule = plateau(patience=2, metric="val/loss", direction=Direction.MINIMIZE)
    assert decide([rule], history(9, 3, 2, 1, metric="val/loss"), UP) is None
    ending = decide([rule], history(9, 1, 2, 3, metric="val/loss"), UP)
    assert ending.detail == {
        "rule": "plateau",
        "metric": "val/loss",
        "step": 3,
        "best": 1,
        "best_step": 1,
        "values": [2, 3],
        "threshold": 0.0,
        "patience": 2,
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("step", [0, 2])
def test_a_non_finite_objective_always_diverges(value, step):
    values = [0.1, 0.2, 0.3]
    values[step] = value
    ending = decide([], history(*values), UP)
    assert (ending.cause, ending.reason) == (Cause.DIVERGED, "diverged")
    assert ending.detail == {
        "rule": "objective",
        "metric": "val/x",
        "step": step,
        "value": str(value),
        "threshold": "finite",
    }


def test_non_finite_watches_every_metric_or_those_it_names():
    bad = history(math.nan, metric="train/loss", start=1)
    assert decide([], bad, UP) is None
    assert decide([NonFiniteRule(type="non_finite")], bad, UP).cause is Cause.DIVERGED
    assert decide([NonFiniteRule(type="non_finite", metrics=("train/other",))], bad, UP) is None
    assert decide([NonFiniteRule(type="non_finite", metrics=("train/loss",))], bad, UP).detail["rule"] == "non_finite"


def test_other_metrics_that_are_not_finite_reach_nothing():
    target = TargetRule(type="target", metric="val/y", direction=Direction.MAXIMIZE, value=1.0)
    assert decide([target], history(0, math.inf, metric="val/y"), UP) is None
    flat = plateau(patience=2, metric="val/y", direction=Direction.MAXIMIZE)
    assert decide([flat], history(0, math.nan, math.nan, math.nan, metric="val/y"), UP) is None
    assert decide([flat], history(0, 1.0, math.nan, math.nan, metric="val/y"), UP).detail["values"] == ["nan", "nan"]
    worse = untrained(metric="val/y", direction=Direction.MAXIMIZE, after_epochs=2)
    assert decide([worse], history(0.5, math.nan, 0.25, metric="val/y"), UP).detail["best"] == 0.25
    assert decide([worse], history(math.nan, 0.1, 0.2, metric="val/y"), UP) is None


def test_diverged_comes_before_sick_before_settled():
    rules = [MaxEpochsRule(type="max_epochs", epochs=1), untrained(after_epochs=1), collapse(after_epochs=1)]
    ill = [
        Measurement(0, {"val/x": 0.5}, 0, 0),
        Measurement(1, {"val/x": 0.1, "val/effective_rank": 1.0}, 0, 1),
    ]
    assert decide(rules, ill, UP).reason == "below_untrained"  # the first of the sick ones in the file
    assert decide(rules[:1], ill, UP).reason == "max_epochs"
    diverged = [*ill, Measurement(2, {"val/x": math.nan}, 0, 2)]
    assert decide(rules, diverged, UP).reason == "diverged"


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats()), max_size=12),
    st.sampled_from(Direction),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.1]),
)
def test_every_ending_can_be_stored_and_stays(values, direction, patience, min_delta):
    objective = Objective(metric="val/x", direction=direction)
    rules = [
        plateau(patience=patience, min_delta=min_delta),
        untrained(after_epochs=patience),
        TargetRule(type="target", value=5.0),
        NonFiniteRule(type="non_finite"),
        MaxEpochsRule(type="max_epochs", epochs=9),
    ]
    ending = decide(rules, history(*values), objective)
    if ending is not None:
        json.dumps(ending.detail, allow_nan=False)
