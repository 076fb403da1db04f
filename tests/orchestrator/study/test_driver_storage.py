"""What a driver has in memory is what the database has, and what Optuna reads from it."""

import json
import random

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from sqlalchemy import event

from orchestrator.study import Storage, SweepRecord
from orchestrator.study.change import Change
from orchestrator.study.driver_storage import whole_trials, write
from orchestrator.study.records import STEP
from orchestrator.trial import Cause, Effort, Ending, Measurement
from tests.support.specs import toy_spec

SPACE = {
    "x": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
    "step": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.1},
    "depth": {"type": "int", "low": 1, "high": 9},
    "kind": {"type": "categorical", "choices": [True, 1.5, "linear"]},
    "end": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": "linear"}},
}


def searched(desk, **sections):
    """A ledger with trials in every state."""
    rng = random.Random(0)
    ledger = desk.create(toy_spec(space=SPACE, trials=30, floors={"noise": 0.1}, **sections), fixed={"epochs": 3})
    for cause in (Cause.FINISHED, Cause.PRUNED, Cause.ERROR, Cause.OUT_OF_MEMORY, Cause.SICK, None, "paused"):
        number = ledger.ask().number
        for step in range(3):
            values = {"val/score": rng.random(), "noise": float("nan") if step == 1 else rng.random()}
            ledger.report(number, Measurement(step, values, rng.random(), 1_000 + step))
        ledger.note_rest(number, Effort(0.1, 0.2))
        if cause == "paused":
            ledger.pause(number)
        elif cause is not None:
            detail = {"metric": "noise", "step": 2, "rule": "below_untrained", "seen": (1, 2)}
            ledger.tell(number, Ending(cause, cause.value, detail), wall_s=1.5)
    return ledger


def without_steps(trial):
    return {**vars(trial), "_user_attrs": {k: v for k, v in trial.user_attrs.items() if not k.startswith(STEP)}}


def alike(one, other):
    """Whether they read the same, NaN included; the order of attributes says nothing."""
    first, second = (json.dumps(each, default=repr, sort_keys=True) for each in (one, other))
    return first == second


@pytest.mark.parametrize("sections", [{}, {"further_objectives": [{"metric": "noise", "direction": "minimize"}]}])
def test_memory_is_what_optuna_reads(desk, sections):
    ledger = searched(desk, **sections)
    theirs = optuna.load_study(study_name="toy-1", storage=desk.url).get_trials()
    for mine, trial in zip(whole_trials(ledger.study), theirs, strict=True):
        assert alike(vars(mine), vars(trial))
    for mine, trial in zip(ledger.study.get_trials(deepcopy=False), theirs, strict=True):
        assert alike(without_steps(mine), without_steps(trial))
        assert mine.state.is_finished() or alike(vars(mine), vars(trial)), "of an open one all is there"
    assert ledger.sweep.wall_s == 1.5


def test_another_driver_has_the_same_in_memory(desk):
    ledger, again = searched(desk), desk.reopen()
    trials = zip(ledger.study.get_trials(deepcopy=False), again.study.get_trials(deepcopy=False), strict=True)
    assert all(alike(vars(mine), vars(theirs)) for mine, theirs in trials)
    assert alike(ledger.records(), again.records())


def test_a_measurement_and_an_ending_are_one_transaction_each(desk):
    ledger = desk.create(toy_spec())
    number, commits = ledger.ask().number, []
    event.listen(ledger.study._storage._backend.engine, "commit", commits.append)
    ledger.report(number, Measurement(1, {"val/score": 0.5}, 0.1, 1))
    assert len(commits) == 1
    ledger.tell(number, Ending(Cause.FINISHED, "finished"), wall_s=2.0)
    assert len(commits) == 2


def test_a_transaction_that_fails_leaves_nothing_here_or_there(desk):
    ledger = desk.create(toy_spec())
    number = ledger.ask().number
    engine = ledger.study._storage._backend.engine

    def die(connection):
        raise SystemExit("killed")

    event.listen(engine, "commit", die)
    with pytest.raises(SystemExit):
        ledger.report(number, Measurement(1, {"val/score": 0.5}, 0.1, 1))
    event.remove(engine, "commit", die)
    assert desk.reopen().record(number).measurements == ()
    assert ledger.record(number).measurements == ()


def test_what_has_ended_is_not_written_again(desk):
    ledger = searched(desk)
    with pytest.raises(UpdateFinishedTrialError):
        write(ledger.study, ledger.study.trials[0]._trial_id, Change({"late": 1}))


def test_two_sweeps_of_one_ledger_are_apart(tmp_path):
    with_two = Storage(f"sqlite:///{tmp_path}/ledger.db")
    one, two = (with_two.create(SweepRecord(f"toy-{n}", f"id-{n}", toy_spec(trials=4), 0)) for n in (1, 2))
    for _ in range(2):
        for ledger in (one, two):
            number = ledger.ask().number
            ledger.report(number, Measurement(1, {"val/score": 0.5}, 0.1, 1))
    assert [r.number for r in one.records()] == [r.number for r in two.records()] == [0, 1]
    assert all(len(r.measurements) == 1 for r in (*one.records(), *two.records()))
    with_two.close()
