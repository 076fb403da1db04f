"""Rules about floors and the confirmation."""

import pytest

from tests.support.twins import report, rules


def test_a_share_in_percent_is_an_error():
    made = report("floors={val/macro_f1: 30}")

    assert made.is_refused
    assert made.advice[0].fault.what == "val/macro_f1 is a share and never above 1; every trial misses 30"
    assert rules("floors={val/macro_f1: 0.3}") == []


@pytest.mark.parametrize(
    ("confirm", "path"),
    [
        ("{top: 2, seeds: 3, max_trials: 8}", "confirm.max_trials"),
        ("{top: 60, seeds: 3, max_trials: 200}", "confirm.top"),
    ],
)
def test_a_confirmation_that_decides_nothing(confirm, path):
    found = [one.fault.path for one in report(f"confirm={confirm}").advice if one.rule == "ORC163"]

    assert found == [path]


def test_max_trials_bounds_what_a_confirmation_costs():
    assert rules("confirm={top: 5, seeds: 8}") == ["ORC164"]
    assert rules("confirm={top: 2, seeds: 8, max_trials: 12}") == []


def test_a_few_trials_need_no_confirmation():
    assert rules("confirm=null", "budget.trials=9", "sampler.startup_trials=5") == []
