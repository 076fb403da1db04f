"""Which facts stand for what a trial's record holds."""

from dataclasses import replace

from orchestrator.tracking.told import attempt_told, end_told, facts_of, step_told
from orchestrator.trial import Measurement, TrialRecord, TrialState

RUNNING = TrialRecord(3, TrialState.RUNNING, {}, [Measurement(0, {}, 0.1, 1), Measurement(2, {}, 0.1, 2)], attempt=2)


def test_an_open_trial_has_its_steps_and_its_attempt():
    assert facts_of(RUNNING) == {step_told(3, 0), step_told(3, 2), attempt_told(3, 2)}


def test_an_ended_or_paused_one_has_its_end_too():
    for state in (TrialState.PAUSED, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED):
        record = replace(RUNNING, state=state)
        assert facts_of(record) == facts_of(RUNNING) | {end_told(record)}


def test_no_fact_stands_for_two_things():
    paused = replace(RUNNING, state=TrialState.PAUSED)
    again = replace(paused, attempt=3)
    assert end_told(paused) != end_told(again)
    assert step_told(1, 12) != step_told(11, 2)
