"""What a confirmation would cost."""

import pytest

from orchestrator.sweeps.planning.confirming import confirmation_cost
from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace
from tests.support.specs import toy_spec

PACE = Pace((TrialPace(10.0, 5.0),), Between(0.0, 0.0, 0.0), 2, "a test")


def cost(confirm, *, pace=PACE, **sections):
    spec = toy_spec(confirm=confirm, **sections)
    return confirmation_cost(spec, pace, [10], devices=2.0, at_once=2)


def test_without_it_there_is_none():
    assert cost(None) is None


def test_the_default_trains_too():
    told = cost({"top": 3, "seeds": 8})
    assert told.trainings == (12, 32)
    assert told.hours == pytest.approx((6 * 60 / 3600, 16 * 60 / 3600))
    assert told.device_hours == pytest.approx((12 * 60 * 2 / 3600, 32 * 60 * 2 / 3600))


def test_its_own_limit_counts():
    assert cost({"top": 3, "seeds": 8, "max_trials": 10}).trainings == (10, 10)


def test_a_trial_of_two_seeds_is_two_trainings():
    assert cost({"top": 1, "seeds": 3}, repeats=2).device_hours == pytest.approx((6 * 30 * 2 / 3600,) * 2)


def test_without_a_pace_the_trainings_are_known():
    told = cost({"top": 3, "seeds": 8}, pace=None)
    assert (told.trainings, told.hours) == ((12, 32), None)
