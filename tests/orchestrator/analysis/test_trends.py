"""The course of a metric: where it goes, whether that is good, and beside what."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.analysis.trends import MAX_POINTS, Movement, Verdict, trend
from orchestrator.spec.model import Direction

UP, DOWN = Direction.MAXIMIZE, Direction.MINIMIZE


def course(values, *, direction=UP, first=0, **references):
    points = [(step, value) for step, value in enumerate(values, start=first)]
    return trend("val/x", points, direction=direction, references=references)


def judged(values, **given):
    found = course(values, **given)
    return found.movement, found.verdict, found.why


def test_first_best_and_last_with_their_steps():
    found = course([0.1, 0.5, 0.9, 0.9, 0.4])

    assert (found.first, found.best, found.last) == ((0, 0.1), (2, 0.9), (4, 0.4))
    assert course([3.0, 1.0, 2.0], direction=DOWN).best == (1, 1.0)
    assert course([3.0, 1.0, 2.0], direction=None).best is None


def test_the_slope_is_the_median_one_and_ignores_an_outlier():
    found = course([0.0, 0.1, 0.2, 9.0, 0.4, 0.5])

    assert found.slope == pytest.approx(0.1)
    assert found.movement is Movement.RISING


@pytest.mark.parametrize(
    ("values", "direction", "expected"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5], UP, (Movement.RISING, Verdict.GOOD, "better than untrained")),
        ([0.5, 0.4, 0.3, 0.2, 0.1], UP, (Movement.FALLING, Verdict.BAD, "worse than untrained")),
        ([0.5, 0.4, 0.3, 0.2, 0.1], DOWN, (Movement.FALLING, Verdict.GOOD, "better than untrained")),
        ([0.5, 0.5, 0.5, 0.5, 0.5], UP, (Movement.STEADY, Verdict.FLAT, "no better than untrained")),
        ([0.5, 0.4, 0.3, 0.2, 0.1], None, (Movement.FALLING, Verdict.NONE, "")),
        ([0.5, 0.4], UP, (Movement.UNCLEAR, Verdict.BAD, "worse than untrained")),
        ([0.4], UP, (Movement.UNCLEAR, Verdict.NONE, "too short to tell")),
    ],
)
def test_against_the_untrained_model(values, direction, expected):
    _, verdict, why = judged(values, direction=direction)

    assert (verdict, why) == expected[1:]
    assert len(values) == 1 or course(values, direction=direction).movement is expected[0]


def test_noise_around_the_untrained_value_is_no_gain():
    values = [0.5, 0.52, 0.47, 0.53, 0.48, 0.51, 0.49, 0.505]

    assert judged(values) == (Movement.STEADY, Verdict.FLAT, "no better than untrained")


def test_a_curve_that_turned_round_is_bad_though_it_is_better_than_at_first():
    overfitted = [3.0, 1.0, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]

    assert judged(overfitted, direction=DOWN)[1:] == (Verdict.BAD, "worse since epoch 2")
    assert judged([3.0, 1.0, 0.50, 0.51, 0.52, 0.53, 0.54], direction=DOWN)[1] is Verdict.GOOD


def test_a_metric_without_step_0_is_judged_by_where_it_goes():
    assert judged([0.6, 0.5, 0.4, 0.3], first=1, direction=DOWN)[1:] == (Verdict.GOOD, "improving")
    assert judged([0.3, 0.3, 0.3, 0.3], first=1, direction=DOWN)[1:] == (Verdict.FLAT, "no change")


def test_chance_goes_before_all_else():
    values = [0.01, 0.02, 0.03, 0.04, 0.05]

    assert judged(values, chance=0.05)[1:] == (Verdict.BAD, "no better than chance")
    assert judged(values, chance=0.01)[1] is Verdict.GOOD
    assert judged([3.0, 2.999, 2.998, 2.997], direction=DOWN, chance=2.996)[1:] == (
        Verdict.BAD,
        "no better than chance",
    )


def test_a_baseline_that_is_not_reached():
    assert judged([0.1, 0.2, 0.3, 0.4], baseline=0.9)[1:] == (Verdict.FLAT, "worse than the baseline")
    assert judged([0.1, 0.4, 0.4, 0.4], baseline=0.9)[1:] == (Verdict.BAD, "worse than the baseline")
    assert judged([0.1, 0.2, 0.3, 0.95], baseline=0.9)[1] is Verdict.GOOD


def test_a_loss_at_its_floor():
    found = judged([2.99, 2.92, 2.9, 2.8965], direction=DOWN, chance=2.996, floor=2.896)

    assert found[1:] == (Verdict.GOOD, "at its floor")


def test_what_is_not_finite_is_counted_and_said():
    found = course([0.1, 0.2, math.nan, math.inf])

    assert (found.last, found.num_finite, found.num_not_finite) == ((1, 0.2), 2, 2)
    assert (found.verdict, found.why) == (Verdict.BAD, "not a finite number since epoch 2")
    assert course([0.1, math.nan, 0.3]).verdict is not Verdict.BAD
    never = course([math.nan, math.nan])
    assert (never.verdict, never.why, never.num_finite) == (Verdict.BAD, "not a finite number since epoch 0", 0)


@given(st.lists(st.floats(), min_size=1, max_size=8), st.sampled_from([UP, DOWN, None]))
def test_any_curve_has_a_course(values, direction):
    found = course(values, direction=direction, chance=0.5, baseline=0.1, floor=0.0)

    assert found.num_finite + found.num_not_finite == len(values)
    assert (found.verdict is Verdict.NONE) or found.why


def test_constant_metrics_are_told_apart():
    assert course([4.0, 4.0, 4.0]).is_constant
    assert course([4.0]).is_constant
    assert not course([4.0, 4.1]).is_constant
    assert not course([4.0, math.nan]).is_constant


def test_a_long_curve_is_thinned_out_and_still_understood():
    found = course([math.tanh(i / 5000) for i in range(20 * MAX_POINTS)])

    assert (found.movement, found.verdict) == (Movement.RISING, Verdict.GOOD)
    assert found.num_finite == 20 * MAX_POINTS
