"""What is written is read again by another process, in the right state, however a trial ends."""

import math
import random
from dataclasses import replace

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState as OptunaState

from orchestrator.study import Storage, SweepRecord, SweepState
from orchestrator.study.judging import Judge
from orchestrator.study.pruning import build_pruner
from orchestrator.study.records import ENDING, STEP, write_ending, write_measurement
from orchestrator.trial import ENDINGS, Cause, Ending, Measurement, TrialState
from tests.support.specs import toy_spec


@pytest.fixture
def memory():
    """A ledger in memory."""
    return Storage("sqlite://")


def measurement(step, value, **metrics):
    return Measurement(step, {"val/score": value, **metrics}, 0.25, 1_000 + step)


def run(ledger, values, *, cause=Cause.FINISHED):
    """One trial with these objective values from step 0 on; returns its number."""
    suggestion = ledger.ask()
    for step, value in enumerate(values):
        if (ending := ledger.report(suggestion.number, measurement(step, value))) is not None:
            ledger.tell(suggestion.number, ending)
            return suggestion.number
    ledger.tell(suggestion.number, Ending(cause, cause.value))
    return suggestion.number


def test_a_trial_reads_the_same_after_reopening(desk):
    ledger = desk.create(toy_spec())
    suggestion = ledger.ask()
    ledger.report(suggestion.number, measurement(0, 0.1, side=2.5))
    ledger.report(suggestion.number, measurement(1, 0.4))
    ledger.report(suggestion.number, measurement(2, 0.3))
    told = ledger.tell(suggestion.number, Ending(Cause.FINISHED, "finished", {"epochs": 2}))
    (read,) = desk.records()
    assert read == told
    assert read.params == suggestion.params
    assert (read.state, read.value, read.best_step, read.epochs) == (TrialState.COMPLETE, 0.4, 1, 2)
    assert read.measurements[0] == measurement(0, 0.1, side=2.5)
    assert read.ending == Ending(Cause.FINISHED, "finished", {"epochs": 2})
    assert read.started_ms <= read.ended_ms


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_ends_in_its_state_here_and_in_optuna(desk, cause):
    ledger = desk.create(toy_spec())
    run(ledger, [0.0, 0.5, 0.25], cause=cause)
    ledger = desk.reopen()
    (record,) = ledger.records()
    (trial,) = ledger.study.trials
    assert record.state is ENDINGS[cause].state
    told = {"COMPLETE": "COMPLETE", "PRUNED": "PRUNED", "FAILED": "FAIL"}[record.state]
    assert trial.state.name == ("PRUNED" if ENDINGS[cause].infeasible else told)
    assert any(value > 0 for value in trial.constraints.values()) == ENDINGS[cause].infeasible
    assert trial.intermediate_values == {0: 0.0, 1: 0.5, 2: 0.25}
    if record.state is TrialState.COMPLETE:
        assert trial.value == 0.5


def test_a_failure_before_any_measurement_is_told(desk):
    ledger = desk.create(toy_spec())
    run(ledger, [], cause=Cause.ERROR)
    (record,) = desk.records()
    assert (record.state, record.value, record.measurements) == (TrialState.FAILED, None, ())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_non_finite_objective_is_remembered_but_never_told_to_the_sampler(desk, value):
    ledger = desk.create(toy_spec(pruner={"type": "asha"}))
    run(ledger, [0.1, value], cause=Cause.DIVERGED)
    ledger = desk.reopen()
    (record,) = ledger.records()
    read = record.measurements[1].metrics["val/score"]
    assert read == value or (math.isnan(read) and math.isnan(value))
    assert ledger.study.trials[0].state is OptunaState.FAIL
    assert ledger.study.trials[0].intermediate_values == {0: 0.1}
    assert run(ledger, [0.1, 0.2]) == 1


def test_other_metrics_may_be_anything(desk):
    ledger = desk.create(toy_spec())
    suggestion = ledger.ask()
    ledger.report(suggestion.number, measurement(1, 0.5, odd=math.nan, far=math.inf, near=-math.inf, tiny=5e-324))
    (record,) = desk.records()
    metrics = record.measurements[0].metrics
    assert math.isnan(metrics["odd"])
    assert (metrics["far"], metrics["near"], metrics["tiny"]) == (math.inf, -math.inf, 5e-324)


def test_an_open_trial_is_handed_out_again_with_what_it_has(desk):
    ledger = desk.create(toy_spec(sampler={"type": "tpe"}))
    first, second = ledger.ask(), ledger.ask()
    ledger.report(first.number, measurement(0, 0.9))
    ledger.report(second.number, measurement(0, 0.1))
    ledger.report(second.number, measurement(1, 0.6))
    ledger.pause(second.number)
    states = [record.state for record in desk.records()]
    assert states == [TrialState.RUNNING, TrialState.PAUSED]
    reopened = desk.reopen()
    numbers = reopened.interrupted()
    assert [record.state for record in desk.records()] == [TrialState.PAUSED] * 2
    again = [reopened.again(number) for number in numbers]
    assert [(s.number, s.params, s.attempt, s.last_step) for s in again] == [
        (first.number, first.params, 2, 0),
        (second.number, second.params, 2, 1),
    ]
    assert (again[0].best_value, again[0].best_step) == (None, None), "the untrained model is no best"
    assert (again[1].best_value, again[1].best_step) == (0.6, 1)
    assert [record.state for record in desk.records()] == [TrialState.RUNNING] * 2


def test_a_driver_that_dies_while_it_asks_leaves_no_half_trial_behind(desk, monkeypatch):
    spec = toy_spec(sampler={"type": "tpe", "startup_trials": 2}, trials=6)
    uninterrupted = Storage("sqlite://").create(SweepRecord("toy-1", "id", spec, 0))
    expected = [uninterrupted.ask().params for _ in range(4)]
    ledger = desk.create(spec)
    for _ in range(3):
        ledger.ask()
    monkeypatch.setattr(ledger.study._storage, "create_new_trial", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ledger.ask()
    assert len(desk.records()) == 3
    assert desk.reopen().ask().params == expected[3]
    assert [record.params for record in desk.records()] == expected


def test_a_step_is_stored_once(desk):
    ledger = desk.create(toy_spec())
    number = ledger.ask().number
    ledger.report(number, measurement(1, 0.5))
    ledger.report(number, measurement(1, 0.7))
    (record,) = desk.records()
    assert [m.metrics["val/score"] for m in record.measurements] == [0.5]


def test_the_last_measurement_of_a_full_trial_competes_but_is_never_pruned(desk):
    ledger = desk.create(toy_spec(trials=9, pruner={"type": "asha", "min_epochs": 2, "reduction_factor": 2}))
    run(ledger, [0.0, 0.9, 0.9])
    number = ledger.ask().number
    assert ledger.report(number, measurement(2, 0.1), last=True) is None
    (decision,) = ledger.record(number).decisions
    assert (decision["pruned"], decision["rank"], decision["num_compared"], decision["cutoff"]) == (False, 2, 2, 0.9)


def test_the_sweep_itself_is_remembered(desk):
    ledger = desk.create(toy_spec())
    assert ledger.sweep.state is SweepState.RUNNING
    changed = replace(ledger.sweep, state=SweepState.PAUSED, wall_s=12.5, reason="SIGINT", parent_run_id="r")
    ledger.update_sweep(changed)
    ledger.set_run_ids({0: "run-0"})
    ledger.ask()
    reopened = desk.reopen()
    assert reopened.sweep == changed
    assert [record.run_id for record in reopened.records()] == ["run-0"]


def test_a_larger_budget_gives_more_trials(desk):
    ledger = desk.create(toy_spec(trials=1))
    run(ledger, [0.1])
    assert ledger.ask() is None
    ledger.replace_spec(replace(ledger.sweep, spec=toy_spec(trials=2)))
    assert desk.reopen().ask().number == 1


# --- pruning, against a recomputation by hand

PRUNERS = {
    "asha": {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
    "hyperband": {"type": "hyperband", "min_epochs": 1, "reduction_factor": 2},
}
CURVES = st.lists(
    st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=6, max_size=6), min_size=3, max_size=7
)  # few values, so that ties happen


def take_up(ledger):
    """Hand out all that is open."""
    return [ledger.again(number) for number in ledger.interrupted()]


def drive(ledger, curves, *, reopen=None):
    """Run the curves side by side, an epoch of each in turn; returns the ledger at the end."""
    for _ in curves:
        ledger.ask()
    if reopen:
        ledger = reopen()
        take_up(ledger)
    for step in range(len(curves[0])):
        for number in list(ledger.running):
            ending = ledger.report(number, measurement(step, curves[number][step]), last=step == len(curves[0]) - 1)
            if ending is None and step == len(curves[0]) - 1:
                ending = Ending(Cause.FINISHED, "finished")
            if ending is not None:
                ledger.tell(number, ending)
        if reopen:
            ledger = reopen()
            take_up(ledger)
    return ledger


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(curves=CURVES)
def test_successive_halving_decides_as_a_recomputation_by_hand(memory, direction, curves):
    spec = toy_spec(
        trials=len(curves), pruner=PRUNERS["asha"], objective={"metric": "val/score", "direction": direction}
    )
    name = memory.next_name("toy")
    records = drive(memory.create(SweepRecord(name, name, spec, 0, fixed={"epochs": 5})), curves).records()
    order = sorted((d["step"], r.number, d["rung"], d["value"]) for r in records for d in r.decisions)
    for record in records:
        for decision in record.decisions:
            rung = [(number, value) for _, number, rung, value in order if rung == decision["rung"]]
            assert rung[decision["num_compared"] - 1][0] == record.number
            check_rung(record, decision, [value for _, value in rung], direction)
        pruned = [d for d in record.decisions if d["pruned"]]
        assert (record.state is TrialState.PRUNED) == bool(pruned)
        if pruned:
            assert record.ending.detail == {"pruner": "asha", **pruned[0]}
            assert record.measurements[-1].step == pruned[0]["step"]
        else:
            assert [d["step"] for d in record.decisions] == [1, 2, 4]


def check_rung(record, decision, values, direction):
    known = values[: decision["num_compared"]]
    best_first = sorted(known, reverse=direction == "maximize")
    cutoff = best_first[max(len(known) // 2 - 1, 0)]
    value = next(m for m in record.measurements if m.step == decision["step"]).metrics["val/score"]
    assert (decision["value"], decision["cutoff"]) == (value, cutoff)
    assert decision["rank"] == 1 + best_first.index(value)
    assert decision["pruned"] == (value < cutoff if direction == "maximize" else value > cutoff)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_decisions_follow_optunas_own_pruner(pruner, monkeypatch):
    rng = random.Random(5)
    curves = [[round(rng.random(), 1 + number % 3) for _ in range(9)] for number in range(40)]
    spec = toy_spec(trials=40, pruner=PRUNERS[pruner])
    ledger = Storage("sqlite://").create(SweepRecord("toy-1", "id", spec, 0, fixed={"epochs": 8}))
    asked = []
    theirs = build_pruner(spec.pruner, max_epochs=8)
    twin = optuna.create_study(study_name="toy-1", direction="maximize", pruner=theirs)
    twin.add_trials([optuna.create_trial(state=OptunaState.RUNNING) for _ in curves])
    hear = Judge.hear

    def hear_both(self, number, measurement, *, last):
        trial = optuna.trial.Trial(twin, twin.trials[number]._trial_id)
        if measurement.step > 0:
            trial.report(measurement.metrics["val/score"], measurement.step)
            asked.append((number, measurement.step, trial.should_prune()))
        return hear(self, number, measurement, last=last)

    monkeypatch.setattr(Judge, "hear", hear_both)
    ledger = drive(ledger, curves)
    theirs = {(number, step) for number, step, pruned in asked if pruned and step < 8}
    ours = {(r.number, d["step"]) for r in ledger.records() for d in r.decisions if d["pruned"]}
    assert ours == theirs
    assert ours


@pytest.mark.parametrize("pruner", [*PRUNERS, "median"])
def test_a_ledger_reopened_after_each_epoch_decides_as_an_open_one(desk, pruner):
    rng = random.Random(1)
    curves = [[rng.random() for _ in range(5)] for _ in range(6)]
    fields = PRUNERS.get(pruner, {"type": "median", "startup_trials": 1})
    spec = toy_spec(trials=6, pruner=fields)

    def key(ledger):
        return [(r.state, r.decisions, r.ending, len(r.measurements)) for r in ledger.records()]

    record = SweepRecord("toy-1", "id-1", spec, 0, fixed={"epochs": 4})
    straight = key(drive(Storage("sqlite://").create(record), curves))
    desk.create(spec, fixed={"epochs": 4})
    drive(desk.reopen(), curves, reopen=desk.reopen)
    assert key(desk.reopen()) == straight


def test_the_median_of_complete_trials_ends_what_is_worse(desk):
    ledger = desk.create(toy_spec(trials=9, pruner={"type": "median", "startup_trials": 3, "min_epochs": 2}))
    for final in (0.4, 0.6, 0.8):
        run(ledger, [0.0, final / 2, final])
    run(ledger, [0.0, 0.0, 0.9], cause=Cause.ERROR)  # not complete: no part of the median
    assert run(ledger, [0.0, 0.1, 0.7]) == 4
    number = run(ledger, [0.0, 0.1, 0.5, 0.9])
    record = ledger.record(number)
    assert record.state is TrialState.PRUNED
    assert [m.step for m in record.measurements] == [0, 1, 2]
    (decision,) = record.decisions
    assert decision == {
        "step": 2, "rung": None, "value": 0.5, "cutoff": pytest.approx(0.65), "rank": 4, "num_compared": 5,
        "pruned": True,
    }  # fmt: skip


def test_the_median_never_ends_a_trial_at_its_untrained_model(desk):
    ledger = desk.create(toy_spec(trials=4, pruner={"type": "median", "startup_trials": 0, "min_epochs": 1}))
    run(ledger, [0.5, 0.5])
    number = ledger.ask().number
    assert ledger.report(number, measurement(0, 0.1)) is None
    assert ledger.report(number, measurement(1, 0.1)) is not None


# --- a driver that dies between two writes


def crash_after(monkeypatch, owner, name):
    """The driver dies right after the next call of a method."""
    original = getattr(owner, name)

    def die(*args, **kwargs):
        original(*args, **kwargs)
        raise SystemExit("killed")

    monkeypatch.setattr(owner, name, die)


def pruned_sweep(desk):
    ledger = desk.create(toy_spec(trials=9, pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 2}))
    run(ledger, [0.0, 0.9])
    return ledger


def test_a_value_that_is_not_stored_yet_is_decided_on_the_next_start(desk, monkeypatch):
    ledger = pruned_sweep(desk)
    number = ledger.ask().number
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        crash_after(patch, Judge, "hear")
        ledger.report(number, measurement(1, 0.1))
    ledger = desk.reopen()
    assert [s.last_step for s in take_up(ledger)] == [None]
    assert ledger.overdue(number) is None
    ending = ledger.report(number, measurement(1, 0.1))
    assert ending.cause is Cause.PRUNED
    assert (ending.detail["rung"], ending.detail["rank"]) == (0, 2)


def test_a_measurement_that_the_sampler_has_not_heard_is_told_on_the_next_start(desk):
    """An earlier version wrote them one after the other."""
    ledger = desk.create(toy_spec())
    number = ledger.ask().number
    stored = write_measurement(measurement(1, 0.1), None)
    ledger.study._storage.set_trial_user_attr(ledger.study.trials[number]._trial_id, f"{STEP}1", stored)
    ledger = desk.reopen()
    assert ledger.study.get_trials()[number].intermediate_values == {}
    assert [s.last_step for s in take_up(ledger)] == [1]
    assert ledger.study.get_trials()[number].intermediate_values == {1: 0.1}


def test_a_decision_stored_but_not_told_is_overdue(desk):
    ledger = pruned_sweep(desk)
    number = ledger.ask().number
    decided = ledger.report(number, measurement(1, 0.1))
    assert decided is not None
    ledger = desk.reopen()
    take_up(ledger)
    assert ledger.overdue(number) == decided


def test_an_ending_stored_but_not_told_is_overdue(desk):
    ledger = desk.create(toy_spec())
    number = ledger.ask().number
    ledger.report(number, measurement(1, 0.1))
    ending = Ending(Cause.FINISHED, "finished", {"epochs": 1})
    ledger.study._storage.set_trial_user_attr(ledger.study.trials[number]._trial_id, ENDING, write_ending(ending))
    ledger = desk.reopen()
    take_up(ledger)
    assert ledger.overdue(number) == ending
    ledger.tell(number, ledger.overdue(number))
    assert desk.records()[0].state is TrialState.COMPLETE


def test_nothing_is_overdue_for_a_trial_in_the_middle(desk):
    ledger = pruned_sweep(desk)
    number = ledger.ask().number
    ledger.report(number, measurement(1, 0.95))
    assert ledger.overdue(number) is None
