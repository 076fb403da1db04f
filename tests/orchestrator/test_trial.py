"""The state-mapping table and what a record derives from its measurements."""

import pytest

from orchestrator.trial import (
    ENDINGS,
    Bucket,
    Cause,
    Ending,
    Measurement,
    RunStatus,
    TrialRecord,
    TrialState,
)


def test_every_cause_has_a_terminal_row():
    assert set(ENDINGS) == set(Cause)
    for row in ENDINGS.values():
        assert row.state.is_terminal
        assert row.run_status is not RunStatus.RUNNING


@pytest.mark.parametrize("state", [TrialState.WAITING, TrialState.RUNNING, TrialState.PAUSED])
def test_the_other_states_are_not_terminal(state):
    assert not state.is_terminal


def test_a_failed_state_is_a_failed_run_and_counts_as_failed():
    for row in ENDINGS.values():
        failed = row.state is TrialState.FAILED
        assert (row.run_status is RunStatus.FAILED) is failed
        assert (row.bucket is Bucket.FAILED) is failed


def test_an_ill_trial_is_never_complete():
    assert ENDINGS[Cause.SICK].state is TrialState.PRUNED
    assert ENDINGS[Cause.SETTLED].state is TrialState.COMPLETE


def test_a_record_adds_up_its_measurements():
    history = [Measurement(0, {}, 0.5, 1), Measurement(3, {}, 1.5, 2)]
    record = TrialRecord(0, TrialState.RUNNING, {}, history)
    assert (record.train_s, record.epochs, record.bucket) == (2.0, 3, None)
    assert TrialRecord(1, TrialState.WAITING, {}).epochs == 0
    ended = TrialRecord(0, TrialState.PRUNED, {}, history, ending=Ending(Cause.PRUNED, "pruned"))
    assert ended.bucket is Bucket.PRUNED
