"""Telling MLflow again what it was not told: the ledger is compared with the facts that the outbox remembers.

A driver may have died between a write to the ledger and the outbox; the outbox may be lost, damaged, or on a disk that
was full. What is told twice is the same keys, steps, times and values, which MLflow keeps once.
"""

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.execution.doctor import Doctor
from orchestrator.spec import resolve
from orchestrator.study import SweepRecord
from orchestrator.tracking import Tracker, facts_of
from orchestrator.trial import Suggestion, TrialRecord, TrialState

_AT_ONCE = 100
"""Trials that are told in one append: all that a large sweep has to tell would fill the memory."""


def retell_trials(tracker: Tracker, sweep: SweepRecord, trials: Sequence[TrialRecord]) -> int:
    """Tell all of each trial of which something is not told; returns how many those were."""
    told, missed_now = tracker.told(), tracker.missed
    missed = [trial for trial in trials if trial.number in missed_now or not facts_of(trial) <= told]
    if not missed:
        return 0
    doctor = Doctor(sweep, tracker, listener=lambda event: None)
    doctor.recall(trials)
    for start in range(0, len(missed), _AT_ONCE):
        some = missed[start : start + _AT_ONCE]
        with tracker.together(making_up_for=[trial.number for trial in some]):
            for trial in some:
                _retell(tracker, sweep, trial, doctor)
    return len(missed)


def _retell(tracker: Tracker, sweep: SweepRecord, trial: TrialRecord, doctor: Doctor) -> None:
    suggestion = Suggestion(trial.number, trial.params, trial.seeds, trial.attempt)
    tracker.start_trial(suggestion, resolve(sweep.spec, trial.params), start_ms=trial.started_ms)
    for measurement in trial.measurements:
        tracker.measure(trial.number, measurement)
    if trial.measurements:
        doctor.see_off(trial)
    if trial.state.is_terminal or trial.state is TrialState.PAUSED:
        tracker.end_trial(trial.number, trial.ending, _with_an_end(trial))


def _with_an_end(trial: TrialRecord) -> TrialRecord:
    """A paused trial ended, for MLflow, with its last measurement."""
    if trial.ended_ms is not None or not trial.measurements:
        return trial
    return replace(trial, ended_ms=trial.measurements[-1].at_ms)
