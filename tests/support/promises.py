"""What a simulated sweep was promised, and whether that holds: after each event, and when the sweep has ended."""

import math
from dataclasses import replace

import optuna

from orchestrator import stopping
from orchestrator.analysis.budgets import Limit, limits, used, used_up
from orchestrator.analysis.costs import total_effort
from orchestrator.execution.assignment import Measured, Outcome
from orchestrator.execution.control import Directive
from orchestrator.study import Ledger, SweepState
from orchestrator.tracking.operations import EndTrial, LogMetrics, StartTrial
from orchestrator.trial import ENDINGS, Cause, Mishap, TrialRecord
from tests.support.simulated import SimulatedSweep, Worker

MAX_DRIVERS = 40
ROUNDING_S = 1e-4
NOT_NOTED_S = 0.011
"""A stretch that is lost and shorter than this is not worth a write."""


class Promises:
    """Watches one sweep.

    Attributes:
        acknowledged: trial and step to the metrics of each measurement that the control has taken.
        ended: trial to its record when it was first seen to have ended.
        attempts: trial to the attempt that was handed out last.
        again: trial to the epochs that its attempts may repeat, since no checkpoint had them.
        paid_s: training of which the control has heard.
    """

    def __init__(self, sweep: SimulatedSweep) -> None:
        self.sweep = sweep
        self.acknowledged: dict[tuple[int, int], str] = {}
        self.ended: dict[int, str] = {}
        self.attempts: dict[int, int] = {}
        self.again: dict[int, int] = {}
        self.paid_s = 0.0

    # --- what a runner does, noted

    def hand_out(self) -> Worker | None:
        before = {record.number: record for record in self.sweep.records()}
        worker = self.sweep.hand_out()
        if worker is None:
            return None
        number, assignment = worker.number, worker.assignment
        assert worker.attempt > self.attempts.get(number, 0), "an attempt's number is its own"
        self.attempts[number] = worker.attempt
        known = before.get(number)
        last = known.measurements[-1].step if known and known.measurements else None
        assert assignment.last_step == last
        if last is not None:
            first = int(assignment.start.name.removeprefix("step-")) if assignment.start else 0
            resumed = first if worker.resumed is None else worker.resumed
            self.again[number] = self.again.get(number, 0) + last - resumed
        self._check_alone()
        return worker

    def report(self, worker: Worker, outcome: Outcome) -> Directive:
        directive = self.sweep.report(worker, outcome)
        if isinstance(outcome, Measured):
            self.acknowledged.setdefault((worker.number, outcome.step), repr(dict(outcome.metrics)))
            self.paid_s += outcome.train_s
        return directive

    def lose(self, worker: Worker, mishap: Mishap) -> None:
        lost_s = self.sweep.clock.now_s - worker.heard_s if worker.began else 0.0
        self.sweep.lose(worker, mishap)
        self.paid_s += max(0.0, lost_s - NOT_NOTED_S)

    def give_more(self) -> None:
        """A budget has ended the sweep: it was used up, and the next driver has none."""
        sweep, budget = self.sweep, self.sweep.spec.budget
        wall_s = sweep.ledger().sweep.wall_s
        assert used_up(budget, total_effort(sweep.records()), wall_s=wall_s), "nothing stops a sweep early"
        more = budget.model_copy(update={"wall_hours": None, "gpu_hours": None, "epochs": None})
        sweep.change_spec(sweep.spec.model_copy(update={"budget": more}))

    def steps(self, number: int) -> list[int]:
        """That the ledger has of a trial."""
        return [m.step for m in self.sweep.records()[number].measurements]

    # --- after each event

    def check(self) -> None:
        records = self.sweep.records()
        assert [record.number for record in records] == list(range(len(records)))
        assert len(records) <= self.sweep.limit
        numbers = [worker.number for worker in self.sweep.workers]
        assert len(numbers) == len(set(numbers)), "one attempt at a trial at a time"
        stored = {(r.number, m.step): repr(dict(m.metrics)) for r in records for m in r.measurements}
        assert self.acknowledged.items() <= stored.items(), "what was acknowledged is there"
        for record in records:
            if record.state.is_terminal:
                assert repr(record) == self.ended.setdefault(record.number, repr(record)), "an ending is for ever"
            assert record.repeated.epochs <= self.again.get(record.number, 0), "only what no checkpoint had"
        self._check_budgets(records)

    def _check_budgets(self, records: list[TrialRecord]) -> None:
        effort, sweep = total_effort(records), self.sweep
        assert effort.train_s >= self.paid_s - ROUNDING_S, "what was trained is charged"
        wall_s = max((m.wall_s for record in records for m in record.measurements), default=0.0)
        # What a trainable does after its last measurement is no epoch, also where it hangs there.
        spent = used(replace(effort, device_s=effort.device_s - sweep.rest_s), wall_s=wall_s)
        excess_s = sweep.longest_s + ROUNDING_S
        excess = {
            Limit.EPOCHS: sweep.concurrency,
            Limit.GPU_HOURS: sweep.concurrency * excess_s / 3600,
            Limit.WALL_HOURS: excess_s / 3600,
        }
        for limit, value in limits(sweep.spec.budget).items():
            assert spent[limit] <= value + excess[limit], "a budget holds but for an epoch of each worker"

    def _check_alone(self) -> None:
        records = self.sweep.records()
        lonely = [worker for worker in self.sweep.workers if records[worker.number].needs_all]
        assert not lonely or len(self.sweep.workers) == 1, "a trial that was out of memory runs alone"

    # --- at the end

    def check_end(self) -> None:
        records = self.sweep.records()
        assert len(records) == self.sweep.limit
        for record in records:
            assert record.state.is_terminal
            assert record.ending is not None
            self._check_curve(record, records)
            self._check_said(record)
            self._check_sampler(record)
        self._check_repeatable(records)

    def _check_curve(self, record: TrialRecord, records: list[TrialRecord]) -> None:
        """Each step once, and none after one at which the trial had to end."""
        segment = record.segment
        first = 0 if segment is None or segment.parent is None else records[segment.parent].epochs + 1
        steps = [m.step for m in record.measurements]
        assert steps == list(range(first, first + len(steps)))
        until = segment.until if segment else self.sweep.epochs
        assert steps[-1:] <= [until]
        if record.ending.cause is Cause.FINISHED:
            assert steps[-1] == until, "finished is finished"
        spec = self.sweep.spec
        for n in range(1, len(steps)):
            assert stopping.decide(spec.stop, record.measurements[:n], spec.objective) is None

    def _check_sampler(self, record: TrialRecord) -> None:
        """Optuna knows each finite value, though a driver died between the two writes of a measurement."""
        values = {m.step: m.metrics["val/score"] for m in record.measurements}
        known = self.sweep.frozen()[record.number].intermediate_values
        assert known == {step: value for step, value in values.items() if math.isfinite(value)}

    def _check_said(self, record: TrialRecord) -> None:
        """What MLflow is told of a trial: all of it, nothing twice with two values, and how it ended."""
        said = [operation for operation in self.sweep.said if operation.number == record.number]
        assert isinstance(said[0], StartTrial), "a run starts before anything is said of it"
        changes = [operation for operation in said if isinstance(operation, StartTrial | EndTrial)]
        assert isinstance(changes[-1], EndTrial), "nothing is running after the end"
        assert changes[-1].status is ENDINGS[record.ending.cause].run_status
        assert changes[-1].tags["orch.state"] == record.state.value
        points: dict[tuple[int, str], set[tuple[str, int]]] = {}
        for operation in said:
            if isinstance(operation, LogMetrics):
                for name, value in operation.metrics.items():
                    at_ms = 0 if name == "best_value" else operation.at_ms
                    points.setdefault((operation.step, name), set()).add((repr(value), at_ms))
        assert not {key: values for key, values in points.items() if len(values) > 1}, "one value a step"
        for m in record.measurements:
            for name, value in {**m.metrics, "time/train_s": m.train_s}.items():
                assert points[m.step, name] == {(repr(value), m.at_ms)}

    def _check_repeatable(self, records: list[TrialRecord]) -> None:
        """A ledger that meets the same trials in the same order proposes and prunes the same."""
        in_order = self.sweep.concurrency == 1
        if not in_order and self.sweep.spec.sampler.type != "random":
            return
        spec = self.sweep.spec
        twin = Ledger(optuna.create_study(study_name="toy-1", direction="maximize"), spec=spec, fixed=spec.config)
        for record in records:
            suggestion = twin.ask()
            assert (suggestion.number, suggestion.params) == (record.number, record.params)
            if not in_order:
                continue
            for m in record.measurements:
                ending = twin.report(record.number, m, last=m.step >= self.sweep.epochs)
                assert ending is None or m is record.measurements[-1], "a pruned trial trains no more"
                assert ending is None or record.ending.cause in (Cause.PRUNED, Cause.DIVERGED)
            assert twin.record(record.number).decisions == record.decisions
            twin.tell(record.number, record.ending)


def drive_to_the_end(promises: Promises) -> None:
    """Honest workers and no fault any more; where a budget has ended the sweep it gets more."""
    sweep = promises.sweep
    sweep.fuse.put_out()
    for _ in range(MAX_DRIVERS):
        if sweep.control is None:
            sweep.start()
        halt = _drive(promises)
        promises.check()
        if all(r.state.is_terminal for r in sweep.records()) and len(sweep.records()) == sweep.limit:
            return
        assert halt.state is not SweepState.COMPLETE
        if halt.state is SweepState.BUDGET_ENDED:
            promises.give_more()
    raise AssertionError("the sweep does not end")


def _drive(promises: Promises):
    sweep = promises.sweep
    while True:
        while len(sweep.workers) < sweep.concurrency and promises.hand_out():
            pass
        for worker in list(sweep.workers):
            if worker.is_pausing or (sweep.control.halt and not worker.began):
                sweep.pause(worker)
            else:
                promises.report(worker, sweep.train(worker, seconds=1 / 3, write=True))
        if not sweep.workers and (sweep.control.halt or not promises.hand_out()):
            return sweep.finish()
