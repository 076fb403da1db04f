"""Budgets of hours, GPU-hours and epochs: hard, over any order of events, and across drivers."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.analysis.budgets import Limit, used
from orchestrator.analysis.costs import total_effort
from orchestrator.execution.assignment import Measured, Raised
from orchestrator.execution.control import ControlSettings, SweepControl
from orchestrator.study import SweepState
from orchestrator.trial import Cause, Effort, TrialState
from tests.support.clocks import FakeClock
from tests.support.crew import Crew, table
from tests.support.desk import Desk
from tests.support.specs import toy_spec

TRIALS, EPOCHS = 4, 3
FEW = settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CREWS = {
    "limit": st.sampled_from(Limit),
    "concurrency": st.integers(1, 4),
    "durations": st.lists(st.floats(0.5, 20.0), min_size=3, max_size=9),
    "share": st.floats(0.1, 0.9),
}


@pytest.fixture
def new_desk(desk):
    """Desks one after the other: hypothesis runs a test many times."""
    folders = []

    def make():
        folder = Path(tempfile.mkdtemp())
        folders.append(Desk(folder, desk.empty))
        return folders[-1]

    yield make
    for made in folders:
        made.close()
        shutil.rmtree(made.folder, ignore_errors=True)


def drive(desk, spec, crew, clock, *, earlier_wall_s=0.0, is_new=True):
    """One driver's life with a crew."""
    ledger = desk.create(spec) if is_new else desk.reopen()
    tracker = desk.tracker()
    control = desk.control(ledger, tracker, clock=clock.clock, earlier_wall_s=earlier_wall_s)
    try:
        crew.run(control)
        return control.finish(), control.wall_s
    finally:
        tracker.close()


def a_spec(**budget):
    return toy_spec(config={"epochs": EPOCHS}, budget={"trials": TRIALS, **budget})


def whole_of(limit, durations, concurrency):
    """About what the whole sweep takes, in the limit's unit."""
    stretches = [table(durations)(number, step) for number in range(TRIALS) for step in range(EPOCHS + 1)]
    hours = sum(stretches) / 3600
    return {Limit.EPOCHS: TRIALS * EPOCHS, Limit.GPU_HOURS: hours, Limit.WALL_HOURS: hours / concurrency}[limit]


def crew_of(concurrency, durations):
    clock = FakeClock()
    return Crew(clock, concurrency=concurrency, epochs=EPOCHS, seconds=table(durations)), clock


@FEW
@given(**CREWS)
def test_a_budget_is_exceeded_by_no_more_than_one_epoch_of_each_worker(new_desk, limit, concurrency, durations, share):
    desk, (crew, clock) = new_desk(), crew_of(concurrency, durations)
    whole = whole_of(limit, durations, concurrency)
    budget = max(1, round(share * whole)) if limit is Limit.EPOCHS else share * whole
    halt, wall_s = drive(desk, a_spec(**{limit.value: budget}), crew, clock)
    records = desk.records()
    spent = used(total_effort(records), wall_s=wall_s)[limit]
    epoch = {Limit.EPOCHS: 1, Limit.GPU_HOURS: crew.longest_s / 3600, Limit.WALL_HOURS: crew.longest_s / 3600}[limit]
    workers = 1 if limit is Limit.WALL_HOURS else concurrency
    assert spent <= budget + workers * epoch + 1e-6
    is_done = len(records) == TRIALS and all(record.state.is_terminal for record in records)
    assert halt.state is (SweepState.COMPLETE if is_done else SweepState.BUDGET_ENDED)
    assert is_done or spent >= budget - 1e-6, "nothing stops a sweep early"


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_earlier_drivers_used_counts_and_a_larger_budget_goes_on(desk, concurrency):
    crew, clock = crew_of(concurrency, [3.0, 1.0, 8.0, 2.0])
    spec = a_spec(epochs=5)
    drive(desk, spec, crew, clock)
    spent = total_effort(desk.records()).epochs
    halt, _ = drive(desk, spec, crew, clock, is_new=False)
    assert halt.state in (SweepState.BUDGET_ENDED, SweepState.COMPLETE)
    assert total_effort(desk.records()).epochs == spent, "nothing is left, so nothing is trained"
    ledger = desk.reopen()
    larger = spec.model_copy(update={"budget": spec.budget.model_copy(update={"epochs": 2 * TRIALS * EPOCHS})})
    ledger.replace_spec(replace(ledger.sweep, spec=larger))
    halt, _ = drive(desk, larger, crew, clock, is_new=False)
    assert halt.state is SweepState.COMPLETE
    assert [record.epochs for record in desk.records()] == [EPOCHS] * TRIALS


def test_a_budget_that_the_last_epoch_uses_up_leaves_the_sweep_complete(desk):
    halt = desk.run(toy_spec(budget={"trials": 3, "epochs": 12}))
    assert (halt.state, halt.reason) == (SweepState.COMPLETE, "all 3 trials have ended")


def test_a_budget_shorter_than_any_poll_ends_the_sweep(desk):
    halt = desk.run(toy_spec(budget={"trials": 3, "wall_hours": 1e-7}))
    assert halt.state is SweepState.BUDGET_ENDED
    assert not any(record.state.is_terminal for record in desk.records())


def test_gpu_hours_count_the_devices_of_a_trial(desk):
    clock = FakeClock()
    crew = Crew(clock, concurrency=1, epochs=EPOCHS, seconds=lambda number, step: 10.0)
    ledger, tracker = desk.create(a_spec(gpu_hours=1.0)), desk.tracker()
    there = ControlSettings(desk.checkpoints, desk.stop_request, devices=60.0)
    control = SweepControl(ledger, tracker, there, clock=clock.clock)
    crew.run(control)
    assert control.finish().state is SweepState.BUDGET_ENDED
    tracker.close()
    (record, *rest) = desk.records()
    assert record.effort == Effort(train_s=40.0, device_s=2400.0, epochs=3)
    assert total_effort(rest).train_s == 20.0


def test_an_epoch_that_is_trained_again_counts_again(desk):
    """The checkpoint of the first attempt was older than its last measurement."""
    spec = toy_spec(budget={"trials": 1, "epochs": 50})
    tracker = desk.tracker()
    first = desk.control(desk.create(spec), tracker)
    first.next()
    for step in range(3):
        first.outcome(0, Measured(step, {"val/score": 0.1 * step}, 2.0), attempt=1)
    again = desk.control(desk.reopen(), tracker)
    assert again.next().last_step == 2
    for step in range(1, 5):
        again.outcome(0, Measured(step, {"val/score": 0.1 * step}, 2.0), attempt=2)
    again.outcome(0, Raised("ValueError: no luck", "", train_s=3.0), attempt=2)
    tracker.close()
    (record,) = desk.records()
    assert record.repeated == Effort(train_s=4.0, device_s=4.0, epochs=2)
    assert record.rest == Effort(train_s=3.0, device_s=3.0)
    assert record.effort == Effort(train_s=17.0, device_s=17.0, epochs=6)
    assert (record.state, record.ending.cause) == (TrialState.FAILED, Cause.ERROR)


def test_repeated_epochs_use_up_the_budget(desk):
    spec = toy_spec(budget={"trials": 1, "epochs": 3})
    tracker = desk.tracker()
    first = desk.control(desk.create(spec), tracker)
    first.next()
    for step in range(3):
        first.outcome(0, Measured(step, {"val/score": 0.1 * step}, 2.0), attempt=1)
    again = desk.control(desk.reopen(), tracker)
    again.next()
    again.outcome(0, Measured(1, {"val/score": 0.1}, 2.0), attempt=2)
    assert again.halt is not None
    assert again.halt.state is SweepState.BUDGET_ENDED
    tracker.close()
