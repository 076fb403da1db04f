"""The control logic, driven by the in-process runner over a real ledger: every ending, every kind of pause."""

import sqlite3

import pytest
from optuna.trial import Trial

from orchestrator.execution.assignment import Done, Measured, Raised
from orchestrator.execution.control import Directive
from orchestrator.execution.local import LocalRunner
from orchestrator.study import SweepState
from orchestrator.study.records import ENDING, write_ending
from orchestrator.tracking.operations import EndTrial, LogMetrics, StartTrial
from orchestrator.trial import Cause, Effort, Ending, Measurement, Mishap, RunStatus, TrialState
from tests.support.clocks import FakeClock
from tests.support.specs import modes, toy_spec
from tests.support.toys import Mode

CURVE = {"val/score", "noise"}


def curves(records):
    """What a trial measured, but for what differs from run to run."""
    return [
        (r.number, r.state, dict(r.params), [(m.step, {k: m.metrics[k] for k in CURVE}) for m in r.measurements])
        for r in records
    ]


def diary(path):
    return path.read_text().splitlines()


def one(desk, mode, **sections):
    """The only trial of a sweep in which the toy behaves in one way."""
    halt = desk.run(toy_spec(**{**modes(mode), **sections}))
    (record,) = desk.records()
    return halt, record


def test_a_sweep_ends_with_every_trial_complete(desk):
    halt = desk.run(toy_spec(trials=3))
    assert (halt.state, halt.reason) == (SweepState.COMPLETE, "all 3 trials have ended")
    records = desk.records()
    assert [(r.state, r.epochs, r.ending.cause) for r in records] == [(TrialState.COMPLETE, 4, Cause.FINISHED)] * 3
    for record in records:
        quality = 1 - (record.params["x"] - 0.3) ** 2
        assert record.value == pytest.approx(quality * (1 - 0.5**4))
        assert record.best_step == 4


def test_measurements_reach_the_ledger_and_the_tracker_alike(desk):
    desk.run(toy_spec(trials=2))
    said = [(o.number, o.step, o.metrics) for o in desk.said() if isinstance(o, LogMetrics) and "noise" in o.metrics]
    stored = [
        (r.number, m.step, {**m.metrics, "time/train_s": m.train_s}) for r in desk.records() for m in r.measurements
    ]
    assert [(n, s) for n, s, _ in said] == [(n, s) for n, s, _ in stored]
    for (_, _, a), (_, _, b) in zip(said, stored, strict=True):
        assert a == pytest.approx(b, abs=1e-6)


@pytest.mark.parametrize("mode", [Mode.NAN, Mode.INFINITE])
def test_a_non_finite_objective_fails_the_trial_at_once(desk, tmp_path, mode):
    _, record = one(desk, mode, config={"diary": str(tmp_path / "diary"), "epochs": 9})
    assert (record.state, record.ending.cause, record.ending.reason) == (
        TrialState.FAILED,
        Cause.DIVERGED,
        "diverged",
    )
    assert [m.step for m in record.measurements] == [0, 1, 2]
    assert diary(tmp_path / "diary")[-2:] == ["x=0.3 epoch 2", "x=0.3 end"]
    assert record.value == pytest.approx(0.5)


def test_another_metric_may_be_nan_unless_a_rule_watches_it(desk):
    _, record = one(desk, Mode.SIDE_NAN)
    assert record.state is TrialState.COMPLETE


STOPS = [
    (Mode.FLAT, {"type": "plateau", "patience": 2}, TrialState.COMPLETE, Cause.SETTLED, 3),
    (Mode.LEARN, {"type": "target", "value": 0.6}, TrialState.COMPLETE, Cause.SETTLED, 2),
    (Mode.LEARN, {"type": "max_epochs", "epochs": 2}, TrialState.COMPLETE, Cause.SETTLED, 2),
    (Mode.COLLAPSE, {"type": "collapse", "after_epochs": 2}, TrialState.PRUNED, Cause.SICK, 2),
    (Mode.SINK, {"type": "below_untrained", "after_epochs": 3}, TrialState.PRUNED, Cause.SICK, 3),
    (Mode.SIDE_NAN, {"type": "non_finite", "metrics": ["noise"]}, TrialState.FAILED, Cause.DIVERGED, 2),
]


@pytest.mark.parametrize(("mode", "rule", "state", "cause", "epochs"), STOPS)
def test_each_stop_rule_ends_a_trial_with_its_numbers(desk, mode, rule, state, cause, epochs):
    halt, record = one(desk, mode, stop=[rule], config={"epochs": 9})
    assert (record.state, record.ending.cause, record.epochs) == (state, cause, epochs)
    assert record.ending.detail["rule"] == rule["type"]
    assert "threshold" in record.ending.detail
    assert halt.state is (SweepState.FAILED if state is TrialState.FAILED else SweepState.COMPLETE)


def test_a_rule_that_fires_at_the_last_epoch_leaves_the_trial_finished(desk):
    _, record = one(desk, Mode.LEARN, stop=[{"type": "max_epochs", "epochs": 4}])
    assert (record.epochs, record.ending.cause) == (4, Cause.FINISHED)


def test_a_pruned_trial_is_pruned_with_its_curve_and_never_complete(desk):
    desk.run(toy_spec(trials=8, pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 2}))
    records = desk.records()
    pruned = [r for r in records if r.state is TrialState.PRUNED]
    assert pruned
    assert {r.state for r in records} == {TrialState.PRUNED, TrialState.COMPLETE}
    for record in pruned:
        assert record.epochs < 4
        assert record.ending.detail["pruned"] is True
        assert record.ending.detail["step"] == record.epochs
    ends = {o.number: o.status for o in desk.said() if isinstance(o, EndTrial)}
    assert all(ends[r.number] is (RunStatus.KILLED if r in pruned else RunStatus.FINISHED) for r in records)


FAULTS = [
    (Mode.RAISE, "ValueError: no luck"),
    (Mode.EXIT, "SystemExit: enough"),
    (Mode.DICT, "TypeError: the trainable yielded dict, not a trainables.contract.Measurement"),
    (Mode.TEXT_METRIC, "TypeError: the metric val/score is str, not a number"),
    (Mode.NONE_METRIC, "TypeError: the metric noise is NoneType, not a number"),
    (Mode.BACKWARDS, "ValueError: step 1 was yielded after step 1; steps must increase"),
]


@pytest.mark.parametrize(("mode", "reason"), FAULTS)
def test_a_faulty_trainable_fails_its_trial_and_no_more(desk, mode, reason):
    halt = desk.run(toy_spec(**modes(mode, Mode.LEARN)))
    assert halt.state is SweepState.COMPLETE
    (failed,) = [r for r in desk.records() if r.params["mode"] == mode]
    assert (failed.state, failed.ending.cause, failed.ending.reason) == (TrialState.FAILED, Cause.ERROR, reason)
    assert reason.split(":")[0] in failed.ending.detail["traceback"]


def test_the_traceback_shows_the_persons_code(desk):
    _, record = one(desk, Mode.RAISE)
    text = record.ending.detail["traceback"]
    assert 'raise ValueError(f"no luck' in text
    assert "toys.py" in text
    assert "attempt.py" not in text


def test_a_trainable_that_measures_nothing_has_failed(desk):
    _, record = one(desk, Mode.RETURN, config={"at": 0})
    assert record.ending.reason == "the trainable returned without a measurement"


def test_a_trainable_may_return_early(desk):
    _, record = one(desk, Mode.RETURN)
    assert (record.state, record.epochs) == (TrialState.COMPLETE, 1)


def test_numbers_of_numpy_and_torch_are_numbers(desk):
    _, record = one(desk, Mode.LIBRARY_NUMBERS)
    assert record.state is TrialState.COMPLETE
    assert record.measurements[4].metrics == {"val/score": 1.5, "noise": 0.25}


def test_a_config_that_the_trainable_refuses_fails_the_trial(desk):
    spec = toy_spec(space={"x": {"type": "float", "low": 50.0, "high": 60.0}}, trials=1)
    ledger = desk.create(spec, fixed={})  # as if the check before the start had let it through
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    LocalRunner().run(control)
    tracker.close()
    assert desk.records()[0].ending.reason.startswith("the config is not valid: x: ")


def test_equal_failures_end_the_sweep(desk):
    spec = toy_spec(config={"mode": "raise"}, budget={"trials": 20, "max_failures": 3})
    halt = desk.run(spec)
    assert halt.state is SweepState.FAILED
    assert halt.reason == "3 equal failures before any success: ValueError: no luck"
    assert [r.ending.reason for r in desk.records()] == ["ValueError: no luck"] * 3


def test_failures_after_a_success_do_not_end_the_sweep(desk):
    spec = toy_spec(**{**modes(Mode.LEARN, Mode.RAISE, Mode.TEXT_METRIC, Mode.NAN), "seed": 3})
    halt = desk.run(spec)
    assert halt.state is SweepState.COMPLETE
    assert len(desk.records()) == 4


def test_a_sweep_in_which_all_failed_has_failed(desk):
    halt = desk.run(toy_spec(config={"mode": "raise"}, trials=2))
    assert (halt.state, halt.reason) == (SweepState.FAILED, "every trial failed")


def test_an_objective_that_is_never_reported_ends_the_sweep_and_says_what_is(desk):
    halt = desk.run(toy_spec(config={"mode": "missing", "at": 0}, trials=5))
    assert halt.state is SweepState.FAILED
    assert "does not report the objective val/score; it reports noise" in halt.reason
    (record,) = desk.records()
    assert record.state is TrialState.FAILED


# --- budget, pause, resume


def test_the_wall_budget_ends_the_sweep_and_a_larger_one_goes_on(desk):
    fake = FakeClock()

    def minute(control, event):
        if event.kind == "measured":
            fake.advance(60)

    spec = toy_spec(budget={"trials": 3, "wall_hours": 0.1})
    halt = desk.run(spec, listener=minute, clock=fake.clock)
    assert halt.state is SweepState.BUDGET_ENDED
    assert "0.1 wall hours" in halt.reason
    assert [(r.state, r.epochs) for r in desk.records()] == [(TrialState.COMPLETE, 4), (TrialState.PAUSED, 0)]
    halt = desk.run(listener=minute, clock=fake.clock, earlier_wall_s=400)
    assert halt.state is SweepState.BUDGET_ENDED, "what earlier drivers took counts"


def test_the_time_so_far_is_stored_with_each_ending_so_that_a_kill_does_not_lose_it(desk):
    fake, stored = FakeClock(), []

    def minute(control, event):
        if event.kind == "measured":
            fake.advance(60)
        if event.kind == "ended":
            stored.append(desk.reopen().sweep.wall_s)

    desk.run(toy_spec(trials=2), listener=minute, clock=fake.clock)
    assert len(stored) == 2
    assert stored[0] >= 240
    assert stored[1] >= 2 * stored[0] - 60


def test_a_pause_keeps_the_trial_open_and_the_next_driver_ends_it_as_if_nothing_had_been(desk, tmp_path):
    spec = toy_spec(trials=4, sampler={"type": "tpe", "startup_trials": 2}, pruner={"type": "asha"})
    uninterrupted = tmp_path / "straight"
    uninterrupted.mkdir()
    straight = type(desk)(uninterrupted, desk.empty)
    straight.run(spec)

    pauses = []

    def pause_each(control, event):
        pauses.append(event.kind)
        if pauses.count("measured") % 3 == 0:
            control.request_pause("a test")

    halt = desk.run(spec, listener=pause_each)
    assert (halt.state, halt.reason) == (SweepState.PAUSED, "a test")
    drivers = 1
    while halt.state is SweepState.PAUSED:
        assert sum(r.state is TrialState.PAUSED for r in desk.records()) <= 1
        halt = desk.run(listener=pause_each)
        drivers += 1
    assert drivers > 3
    assert halt.state is SweepState.COMPLETE
    assert curves(desk.records()) == curves(straight.records())
    assert [r.decisions for r in desk.records()] == [r.decisions for r in straight.records()]
    straight.close()


def test_a_paused_trial_says_so_to_the_tracker_and_runs_again_later(desk):
    def pause(control, event):
        if event.kind == "measured" and control.ledger.record(0).epochs == 2:
            control.request_pause("a test")

    desk.run(toy_spec(trials=1), listener=pause)
    (record,) = desk.records()
    assert (record.state, record.epochs, record.attempt) == (TrialState.PAUSED, 2, 1)
    ends = [o for o in desk.said() if isinstance(o, EndTrial)]
    assert [(o.status, o.tags["orch.state"]) for o in ends] == [(RunStatus.KILLED, "PAUSED")]
    desk.run()
    (record,) = desk.records()
    assert (record.state, record.attempt) == (TrialState.COMPLETE, 2)
    kinds = [type(o) for o in desk.said() if isinstance(o, StartTrial | EndTrial)]
    assert kinds == [StartTrial, EndTrial, StartTrial, EndTrial]
    steps = [o.step for o in desk.said() if isinstance(o, LogMetrics) and "noise" in o.metrics]
    assert sorted(set(steps)) == [0, 1, 2, 3, 4]
    assert steps.count(1) == 1


def test_the_stop_file_pauses(desk):
    fake = FakeClock(tick_s=0.3)

    def ask(control, event):
        if event.kind == "measured":
            desk.stop_request.touch()

    halt = desk.run(toy_spec(trials=9), listener=ask, clock=fake.clock)
    assert (halt.state, halt.reason) == (SweepState.PAUSED, "orch stop")
    assert len(desk.records()) == 1


def test_open_trials_that_no_runner_asks_for_are_paused_again(desk):
    ledger = desk.create(toy_spec(trials=5))
    for _ in range(3):
        ledger.ask()
    tracker = desk.tracker()
    control = desk.control(desk.reopen(), tracker)
    assert control.next().number == 0
    control.request_pause("a test")
    assert control.next() is None
    assert control.finish().state is SweepState.PAUSED
    tracker.close()
    assert [r.state for r in desk.records()] == [TrialState.PAUSED] * 3
    assert {o.number for o in desk.said() if isinstance(o, EndTrial)} == {0, 1, 2}


def test_a_trial_whose_ending_was_due_when_the_driver_died_ends_without_another_epoch(desk, tmp_path):
    spec = toy_spec(trials=1, stop=[{"type": "target", "value": 0.4}], config={"diary": str(tmp_path / "diary")},
                    space={"x": {"type": "fixed", "value": 0.3}})  # fmt: skip
    ledger = desk.create(spec)
    suggestion = ledger.ask()
    ledger.report(suggestion.number, Measurement(0, {"val/score": 0.0}, 0.1, 1))
    ledger.report(suggestion.number, Measurement(1, {"val/score": 0.5}, 0.1, 2))
    desk.run()
    (record,) = desk.records()
    assert (record.state, record.ending.reason, record.epochs) == (TrialState.COMPLETE, "target", 1)
    assert not (tmp_path / "diary").exists()


def test_what_the_tracker_missed_when_the_driver_died_is_said_again(desk):
    ledger = desk.create(toy_spec(trials=3))
    for number in range(2):
        ledger.ask()
        ledger.report(number, Measurement(1, {"val/score": 0.5 + number}, 0.1, 7))
    ledger.tell(0, Ending(Cause.FINISHED, "finished"))
    tracker = desk.tracker()
    control = desk.control(desk.reopen(), tracker)
    control.request_pause("a test")
    control.finish()
    tracker.close()
    said = desk.said()
    assert [o.status for o in said if isinstance(o, EndTrial) and o.number == 0] == [RunStatus.FINISHED]
    (logged,) = [o for o in said if isinstance(o, LogMetrics) and o.number == 1 and "val/score" in o.metrics]
    assert (logged.step, logged.at_ms, logged.metrics["val/score"]) == (1, 7, 1.5)


def test_an_ending_that_the_tracker_missed_is_said_again_though_the_clock_was_set_back(desk):
    ledger = desk.create(toy_spec(trials=3))
    for number in range(2):
        ledger.ask()
        ledger.report(number, Measurement(1, {"val/score": 0.5}, 0.1, 7))
        ledger.tell(number, Ending(Cause.FINISHED, "finished"))
    with sqlite3.connect(desk.folder / "ledger.db") as database:
        database.execute("UPDATE trials SET datetime_complete = '2020-01-01 00:00:00' WHERE number = 1")
    tracker = desk.tracker()
    desk.control(desk.reopen(), tracker)
    tracker.close()
    assert [o.number for o in desk.said() if isinstance(o, EndTrial)] == [0, 1]


def test_a_driver_that_died_while_it_told_the_sampler_is_followed_by_one_that_does_it_again(desk):
    """Optuna warns of a constraint that is set twice."""
    ledger = desk.create(toy_spec(trials=1, floors={"noise": 0.7}))
    ledger.ask()
    ledger.report(0, Measurement(1, {"val/score": 0.5, "noise": 0.5}, 0.1, 7))
    (trial,) = (Trial(ledger.study, frozen._trial_id) for frozen in ledger.study.trials)
    ending = Ending(Cause.OUT_OF_MEMORY, "out of memory")
    trial.set_user_attr(ENDING, write_ending(ending))
    trial.set_constraint("floor:noise", 0.7 - 0.5)
    trial.set_constraint("out_of_memory", 1.0)
    tracker = desk.tracker()
    assert desk.control(desk.reopen(), tracker).next() is None
    tracker.close()
    (record,) = desk.records()
    assert (record.state, record.ending) == (TrialState.FAILED, ending)


def test_what_is_said_of_a_measurement_again_is_what_was_said_of_it_at_first(desk):
    tracker = desk.tracker()
    control = desk.control(desk.create(toy_spec(trials=1)), tracker)
    control.next()
    control.outcome(0, Measured(0, {"val/score": 0.5}, 0.123456789), attempt=1)
    tracker.forget()
    desk.control(desk.reopen(), tracker)
    tracker.close()
    first, again = (o for o in desk.said() if isinstance(o, LogMetrics))
    assert first == again


def test_a_trial_whose_driver_died_before_its_run_started_has_its_run_started_where_it_is_left_open(desk):
    desk.create(toy_spec(trials=1)).ask()
    tracker = desk.tracker()
    control = desk.control(desk.reopen(), tracker)
    control.request_pause("a test")
    control.finish()
    tracker.close()
    start, *_, end = (o for o in desk.said() if o.number == 0)
    assert isinstance(start, StartTrial)
    assert (start.name, start.params["x"]) == ("0000 toy-1", repr(desk.records()[0].params["x"]))
    assert isinstance(end, EndTrial)


def lose(control, number, mishap=Mishap.WORKER_LOST):
    """The current attempt of a trial is lost."""
    control.lost(number, mishap, "SIGKILL", attempt=control.ledger.record(number).attempt)


def test_a_lost_worker_costs_an_attempt_and_while_the_sweep_halts_no_more_than_a_pause(desk):
    ledger = desk.create(toy_spec(trials=3))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    first = control.next()
    control.next()
    lose(control, 0)
    assert ledger.record(0).state is TrialState.PAUSED
    again = control.next()
    assert (again.number, again.config, again.attempt) == (0, first.config, 2)
    control.request_pause("a test")
    lose(control, 1)
    lose(control, 0)
    assert control.outcome(1, Done(), attempt=1) is Directive.END
    assert control.is_drained
    control.finish()
    tracker.close()
    records = desk.records()
    assert [r.state for r in records] == [TrialState.PAUSED, TrialState.PAUSED]
    assert [[lost.attempt for lost in r.lost_attempts] for r in records] == [[1], []]


def test_three_losses_at_one_epoch_are_the_trials_own_fault_and_progress_forgives(desk):
    spec = toy_spec(trials=2, budget={"trials": 2, "max_failures": 2})
    ledger = desk.create(spec)
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    for attempt in range(1, 6):
        assignment = control.next()
        assert (assignment.number, assignment.attempt) == (0, attempt)
        if attempt == 3:
            control.outcome(0, Measured(1, {"val/score": 0.5}, 0.1), attempt=3)
        lose(control, 0)
    record = ledger.record(0)
    assert (record.state, record.ending.cause, record.ending.reason) == (
        TrialState.FAILED, Cause.WORKER_LOST, "worker lost",
    )  # fmt: skip
    assert [lost.step for lost in record.lost_attempts] == [None, None, 1, 1, 1]
    assert control.next().number == 1
    tracker.close()


def test_a_lost_node_is_never_charged(desk):
    ledger = desk.create(toy_spec(trials=1))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    for _ in range(12):
        assert control.next().number == 0
        lose(control, 0, Mishap.NODE_LOST)
    assert ledger.record(0).state is TrialState.PAUSED
    assert control.next().attempt == 13
    tracker.close()


def test_training_that_was_lost_with_its_worker_is_paid_for(desk):
    fake = FakeClock()
    ledger = desk.create(toy_spec(trials=1, budget={"trials": 1, "gpu_hours": 1.0}))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker, clock=fake.clock)
    control.next()
    fake.advance(1000)
    control.began(0, attempt=1)
    fake.advance(1800)
    lose(control, 0)
    assert ledger.record(0).repeated == Effort(1800.0, 1800.0)
    control.next()
    control.began(0, attempt=2)
    fake.advance(1800)
    lose(control, 0)
    assert control.next() is None
    assert control.halt.state is SweepState.BUDGET_ENDED
    tracker.close()


def test_out_of_memory_is_tried_once_more_alone_and_then_told_as_infeasible(desk):
    no_memory = Raised("MemoryError", "", out_of_memory=True)
    ledger = desk.create(toy_spec(trials=4))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    control.next()
    control.next()
    assert control.outcome(0, no_memory, attempt=1) is Directive.END
    assert control.next() is None, "trial 1 is still there"
    assert control.is_waiting
    control.outcome(1, Measured(0, {"val/score": 0.5}, 0.1), attempt=1)
    control.outcome(1, Done(), attempt=1)
    alone = control.next()
    assert (alone.number, alone.attempt) == (0, 2)
    assert control.next() is None, "nothing runs beside it"
    control.outcome(0, no_memory, attempt=2)
    record = ledger.record(0)
    assert (record.state, record.ending.cause) == (TrialState.FAILED, Cause.OUT_OF_MEMORY)
    told = ledger.study.get_trials()[0]
    assert (told.state.name, told.constraints) == ("PRUNED", {"out_of_memory": 1.0})
    assert control.next().number == 2
    assert control.next().number == 3
    tracker.close()


def test_a_trial_that_was_out_of_memory_has_the_machines_for_itself_after_a_resume_too(desk):
    ledger = desk.create(toy_spec(trials=3))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    control.next()
    control.next()
    control.outcome(0, Raised("MemoryError", "", out_of_memory=True), attempt=1)
    resumed = desk.control(desk.reopen(), tracker)
    assert resumed.next().number == 0
    assert resumed.next() is None
    resumed.outcome(0, Measured(0, {"val/score": 0.5}, 0.1), attempt=2)
    resumed.outcome(0, Done(), attempt=2)
    assert [resumed.next().number, resumed.next().number] == [1, 2]
    tracker.close()


def test_a_trial_that_was_out_of_memory_still_has_the_machines_for_itself_after_another_mishap(desk):
    ledger = desk.create(toy_spec(trials=3))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    control.next()
    control.outcome(0, Raised("MemoryError", "", out_of_memory=True), attempt=1)
    assert control.next().number == 0
    lose(control, 0, Mishap.NODE_LOST)
    assert control.next().number == 0
    beside = control.next()
    tracker.close()
    assert beside is None


def test_a_trial_that_does_not_measure_for_too_long_has_hung(desk):
    fake = FakeClock()
    ledger = desk.create(toy_spec(trials=2, resources={"gpu": 0.0, "hang_timeout_s": 60.0}))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker, clock=fake.clock)
    control.next()
    control.next()
    fake.advance(1000)
    assert control.hung == [], "they wait for a worker"
    control.began(0, attempt=1)
    control.began(1, attempt=1)
    fake.advance(50)
    control.outcome(1, Measured(0, {"val/score": 0.5}, 0.1), attempt=1)
    fake.advance(50)
    assert control.hung == [0]
    control.lost(0, Mishap.HUNG, "no measurement for 60 s", attempt=1)
    assert control.hung == []
    tracker.close()
    assert ledger.record(0).lost_attempts[0].mishap is Mishap.HUNG


def test_what_an_earlier_attempt_still_says_is_not_heard(desk):
    """A worker that was given up may come back: its trial has gone on without it."""
    ledger = desk.create(toy_spec(trials=1))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    control.next()
    lose(control, 0, Mishap.NODE_LOST)
    control.next()
    assert control.outcome(0, Measured(3, {"val/score": 0.9}, 0.1), attempt=1) is Directive.END
    assert control.outcome(0, Done(), attempt=1) is Directive.END
    control.lost(0, Mishap.WORKER_LOST, "later", attempt=1)
    control.paused(0, attempt=1)
    tracker.close()
    (record,) = desk.records()
    assert (record.state, record.measurements, len(record.lost_attempts)) == (TrialState.RUNNING, (), 1)


def test_outcomes_of_a_trial_that_has_ended_are_not_heard(desk):
    ledger = desk.create(toy_spec(trials=1))
    tracker = desk.tracker()
    control = desk.control(ledger, tracker)
    control.next()
    control.outcome(0, Measured(1, {"val/score": 0.5}, 0.1), attempt=1)
    control.outcome(0, Done(), attempt=1)
    assert control.outcome(0, Measured(2, {"val/score": 0.9}, 0.1), attempt=1) is Directive.END
    control.lost(0, Mishap.WORKER_LOST, "later", attempt=1)
    tracker.close()
    (record,) = desk.records()
    assert (record.state, record.epochs) == (TrialState.COMPLETE, 1)


def test_progress_counts_what_is_and_guesses_what_is_left(desk):
    fake = FakeClock()
    seen = []

    def watch(control, event):
        fake.advance(10)
        seen.append(control.progress())

    desk.run(toy_spec(trials=2), listener=watch, clock=fake.clock)
    first, last = seen[0], seen[-1]
    assert (first.num_ended, first.eta_s, first.limit, first.max_epochs) == (0, None, 2, 4)
    assert [t.number for t in first.running] == [0]
    assert (last.num_ended, last.running, last.eta_s) == (2, (), 0)
    assert last.causes == {Cause.FINISHED: 2}
    assert last.best[1] == max(r.value for r in desk.records())
    assert last.lag.num_pending > 0
    assert last.train_s == pytest.approx(sum(r.train_s for r in desk.records()), abs=1e-4)
