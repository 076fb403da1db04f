"""How fast trials train, from their records."""

import pytest

from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace, longest, time_between, trial_pace
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, TrialState


def measurements(*seconds, start_ms=0, gap_ms=0, stride=1):
    """Measurements at steps 0, 1, ...; each comes in `gap_ms` after the training before it."""
    at_ms, made = start_ms, []
    for index, train_s in enumerate(seconds):
        at_ms += int(1000 * train_s) + (gap_ms if index else 0)
        made.append(Measurement(index * stride, {}, train_s, at_ms))
    return tuple(made)


def test_the_untrained_model_and_what_only_the_first_epoch_takes_are_the_start():
    assert trial_pace(measurements(3.0, 5.0, 2.0, 2.0)) == TrialPace(start_s=6.0, epoch_s=2.0)


def test_one_epoch_is_all_that_is_known():
    assert trial_pace(measurements(3.0, 5.0)) == TrialPace(start_s=3.0, epoch_s=5.0)


@pytest.mark.parametrize("known", [(), measurements(3.0)])
def test_without_an_epoch_there_is_no_pace(known):
    assert trial_pace(known) is None


def test_a_measurement_may_come_after_several_epochs():
    assert trial_pace(measurements(1.0, 8.0, 8.0, stride=4)).epoch_s == 2.0


def test_the_mean_counts_not_the_median():
    """A sweep takes the sum of its epochs."""
    assert trial_pace(measurements(0.0, 1.0, 1.0, 1.0, 7.0)).epoch_s == 3.0


def test_time_between_trainings_on_two_workers():
    def trial(number, *, asked_ms, start_ms):
        return TrialRecord(
            number, TrialState.COMPLETE, {}, measurements(1.0, 1.0, start_ms=start_ms, gap_ms=100), started_ms=asked_ms
        )

    # Two workers need 2 s to start; each takes its next trial .5 s after its last measurement.
    first = [trial(0, asked_ms=0, start_ms=2000), trial(1, asked_ms=0, start_ms=2000)]
    later = [trial(2, asked_ms=4100, start_ms=4600), trial(3, asked_ms=4100, start_ms=4600)]
    between = time_between([*first, *later], concurrency=2)
    assert between == Between(warm_s=2.0, turn_s=0.5, step_s=0.1)


def test_nothing_is_known_of_no_trials():
    assert time_between([], concurrency=2) == Between(0.0, 0.0, 0.0)


def test_the_longest_trial_that_ended_by_itself():
    def trial(number, epochs, cause):
        ending = Ending(cause, "") if cause else None
        return TrialRecord(number, TrialState.COMPLETE, {}, measurements(*[1.0] * (epochs + 1)), ending=ending)

    assert longest([trial(0, 3, Cause.FINISHED), trial(1, 9, Cause.PRUNED), trial(2, 9, None)]) == 3
    assert longest([trial(0, 3, Cause.PRUNED)]) is None


def test_a_pace_in_json():
    pace = Pace((TrialPace(1.0, 2.0), TrialPace(3.0, 4.0)), Between(1.0, 0.1, 0.01), 2, "a test")
    assert pace.to_json()["epoch_s"] == pace.epoch_s == 3.0
    assert pace.to_json()["source"] == "a test"
