"""Optuna's trials brought up to what is stored."""

from orchestrator.study.mending import mark_paused, tell_stored_ending
from orchestrator.study.records import ENDING, write_ending
from orchestrator.trial import Cause, Ending, Measurement, TrialState
from tests.support.specs import toy_spec


def test_a_stored_ending_is_told_as_it_was_stored(desk):
    ledger = desk.create(toy_spec(trials=2))
    number = ledger.ask().number
    ledger.report(number, Measurement(1, {"val/score": 0.25}, 0.1, 5))
    trial = ledger.study.get_trials(deepcopy=False)[number]
    stored = write_ending(Ending(Cause.FINISHED, "finished", {"epochs": 1}))
    ledger.study._storage.set_trial_user_attr(trial._trial_id, ENDING, stored)

    told = tell_stored_ending(desk.reopen(), number)

    assert (told.state, told.value, told.attempt) == (TrialState.COMPLETE, 0.25, 1)
    assert desk.reopen().study.trials[number].value == 0.25


def test_a_trial_that_nobody_runs_is_paused(desk):
    number = desk.create(toy_spec(trials=2)).ask().number

    mark_paused(desk.reopen(), number)

    assert desk.records()[number].state is TrialState.PAUSED
