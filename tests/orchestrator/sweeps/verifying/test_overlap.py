"""Which trials ran at once."""

from orchestrator.sweeps.verifying.overlap import concurrency, one_at_a_time
from orchestrator.trial import Measurement, TrialRecord, TrialState


def trial(number, start, end=None, *, measured=None):
    measurements = () if measured is None else (Measurement(1, {}, 0.0, measured),)
    state = TrialState.RUNNING if end is None else TrialState.COMPLETE
    return TrialRecord(number, state, {}, measurements, started_ms=start, ended_ms=end)


def test_one_after_another():
    trials = [trial(0, 0, 10), trial(1, 10, 20), trial(2, 25)]

    assert one_at_a_time(trials)
    assert concurrency(trials) == 1


def test_side_by_side():
    trials = [trial(0, 0, 10), trial(1, 5, 20), trial(2, 8, measured=30)]

    assert not one_at_a_time(trials)
    assert concurrency(trials) == 3


def test_a_clock_that_stepped_back_proves_nothing():
    assert not one_at_a_time([trial(0, 100, 10), trial(1, 20, 30)])


def test_without_trials():
    assert one_at_a_time([])
    assert concurrency([]) == 1
