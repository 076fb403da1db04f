"""Intervals from many rehearsals."""

import pytest

from orchestrator.analysis.budgets import Limit
from orchestrator.sweeps.planning.forecast import Interval, Workers, rehearse_often
from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace
from orchestrator.sweeps.planning.survival import Rehearsed
from tests.support.specs import toy_spec

SAME = tuple([TrialPace(1.0, 2.0)] * 6)
NOTHING = Between(0.0, 0.0, 0.0)


def often(pace, *, trials=10, concurrency=2, guided_from=99):
    survival = Rehearsed(toy_spec(), [5], trials, concurrency, guided_from)
    return rehearse_often(pace, survival, Workers(concurrency, 1.0), guided_from=guided_from, seed=0)


def test_an_interval_leaves_out_a_twentieth_on_each_side():
    interval = Interval.of(list(range(101)))
    assert (interval.low, interval.mid, interval.high) == pytest.approx((5, 50, 95))


def test_a_sweep_of_equal_trials_is_uncertain_by_the_machine_alone():
    told = often(Pace(SAME, NOTHING, 2, "a test")).forecast({})
    assert told.epochs == Interval(50, 50, 50)
    assert told.trials == Interval(10, 10, 10)
    assert told.device_hours.mid * 3600 == pytest.approx(110, rel=0.05)
    assert told.hours.mid * 3600 == pytest.approx(55, rel=0.05)
    assert 1.3 < told.hours.high / told.hours.low < 2.2
    assert told.whole == 1.0


def test_trials_that_differ_widen_it():
    unequal = Pace((TrialPace(0.5, 0.5), TrialPace(0.5, 1.0), TrialPace(2.0, 6.0)), NOTHING, 2, "a test")
    wide, narrow = often(unequal).forecast({}).hours, often(Pace(SAME, NOTHING, 2, "a test")).forecast({}).hours
    assert wide.high / wide.low > narrow.high / narrow.low


def test_corners_count_only_where_they_differ():
    corners = (TrialPace(1.0, 0.5), TrialPace(1.0, 8.0))
    apart = often(Pace(SAME, NOTHING, 2, "a test", corners=corners), guided_from=3).forecast({}).hours
    alike = (
        often(Pace(SAME, NOTHING, 2, "a test", corners=(TrialPace(1.0, 2.0), TrialPace(1.0, 2.2)))).forecast({}).hours
    )
    assert apart.high / apart.low > 3
    assert alike == often(Pace(SAME, NOTHING, 2, "a test")).forecast({}).hours


def test_a_limit_cuts():
    told = often(Pace(SAME, NOTHING, 2, "a test")).forecast({Limit.EPOCHS: 20})
    assert 20 <= told.epochs.low <= told.epochs.high < 22
    assert told.whole == 0.0
    assert told.to_json()["epochs"]["low"] >= 20
