"""Rules about what trials are measured with."""

import math

import pytest

from orchestrator.sweeps.lint.judge import lint
from tests.support.questions import shipped
from tests.support.twins import report, rules

COARSE = "stop.0.min_delta=0.2"


def test_a_share_of_few_items_is_known_to_its_binomial_interval():
    (one,) = report("config.data.num_val=32", "stop.0.min_delta=0.1").advice

    half_width = 1.96 * math.sqrt(0.25 / 32)
    assert f"over 32 items is known to +- {half_width:.2g} (95 %)" in one.fault.what
    assert one.fault.hint == "data.num_val for 96 items or more"


def test_96_items_know_a_tenth():
    assert "ORC141" not in rules("config.data.num_val=97")
    assert "ORC141" in rules("config.data.num_val=95")


def test_who_wants_to_see_large_differences_needs_fewer_items():
    assert rules("config.data.num_val=32", COARSE) == []
    assert "ORC141" in rules("config.data.num_val=20", COARSE)


def test_only_shares_are_binomial():
    assert "ORC141" not in rules(
        "config.data.num_val=32", "objective={metric: val/mse, direction: minimize}", "stop=[]"
    )


def test_items_of_a_shipped_trainable_are_counted_by_its_role():
    # 30 people with four records each are 120 queries.
    few = [one for one in lint(shipped("identification", "config.data.num_val=12")).advice if one.rule == "ORC141"]

    assert [one.fault.what.partition(" items")[0] for one in few] == ["val/rank_at_1 over 48"]


def test_no_items_are_no_crash():
    assert rules("space.data.num_val={type: int, low: 1, high: 1000, log: true}")


def test_patience_of_a_pruner_has_a_min_delta_too():
    found = report("pruner={type: patient, patience: 3, min_delta: 0.001}").advice

    assert [one.fault.path for one in found if one.rule == "ORC142"] == ["pruner.min_delta"]


@pytest.mark.parametrize("key", ["data.seed", "data.num_val"])
def test_searched_yardsticks(key):
    assert "ORC143" in rules(f"space.{key}={{type: int, low: 100, high: 900}}")


def test_epochs_that_stand_still_are_fine():
    assert rules("config={data: {num_val: 1000}}", "space.epochs={type: fixed, value: 30}") == []
