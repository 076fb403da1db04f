"""`SimulatedSweep`: one sweep under its real control and ledger, with workers that only pretend to train.

A worker's values follow from its parameters and the step, so that an epoch that is trained again measures the same.
Drivers come and go; storage, outbox and checkpoints stay. Workers of a driver or an attempt that is gone are zombies.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from orchestrator.execution.assignment import Assignment, Done, Measured, Outcome
from orchestrator.execution.control import ControlSettings, Directive, Halt, SweepControl
from orchestrator.spec import SweepSpec
from orchestrator.study import Ledger, SweepRecord, SweepState
from orchestrator.study.records import read_trial
from orchestrator.tracking.operations import Operation
from orchestrator.trial import Mishap, TrialRecord
from tests.support.clocks import FakeClock
from tests.support.killable import Fuse, KillableStorage, KillableTracker, Said

NAME = "toy-1"
KEPT = 2
"""Newest checkpoints of a trial that stay."""


class StopRequest:
    """A file that asks the sweep to pause, without a disk."""

    def __init__(self) -> None:
        self.is_there = False

    def exists(self) -> bool:
        return self.is_there


def metrics(config, step: int) -> dict[str, float]:
    """What the toy measures: a curve that differs from one configuration to another, and crosses others."""
    x = float(config["x"])
    score = (1 - abs(x)) * step / 4 + 0.3 * math.sin(9 * x + 2 * step)
    return {"val/score": score, "noise": score / 3}


@dataclass(slots=True)
class Worker:
    """One attempt.

    Attributes:
        step: that it has reached; None before the untrained model was measured.
        resumed: the step that it went on from.
        since_s: when its stretch began, as the worker sees it.
        heard_s: when it was handed out or heard last.
        began: whether the control knows that it runs.
        is_pausing: whether it was told to pause and has not written its checkpoint yet.
    """

    assignment: Assignment
    step: int | None
    resumed: int | None
    since_s: float
    heard_s: float
    began: bool = False
    is_pausing: bool = False

    @property
    def number(self) -> int:
        return self.assignment.number

    @property
    def attempt(self) -> int:
        return self.assignment.attempt


class SimulatedSweep:
    """Call it as a runner would; a `Killed` that it raises means that `kill` has to follow.

    Attributes:
        longest_s: the longest stretch of a worker.
        rest_s: what workers took after the last epoch of their trials, all together.
    """

    def __init__(self, spec: SweepSpec, *, concurrency: int) -> None:
        self.spec = spec
        self.concurrency = concurrency
        self.epochs = spec.config["epochs"]
        self.clock = FakeClock()
        self.fuse = Fuse()
        self.storage = KillableStorage(self.fuse, self.clock.clock)
        self.outbox = Said()
        self.checkpoints: dict[Path, list[int]] = {}
        self.stop = StopRequest()
        self.control: SweepControl | None = None
        self.workers: list[Worker] = []
        self.zombies: list[Worker] = []
        self.longest_s = 0.0
        self.rest_s = 0.0
        self.last_state: SweepState | None = None
        study = optuna.create_study(study_name=NAME, storage=self.storage, direction="maximize")
        self._study_id = study._study_id
        ledger = Ledger(study, spec=spec, fixed=spec.config)
        record = SweepRecord(NAME, "id-1", spec, created_ms=0, fixed=spec.config)
        ledger.replace_spec(record)
        ledger.update_sweep(record)
        self.limit = ledger.limit

    @property
    def said(self) -> list[Operation]:
        """What MLflow would be told, oldest first."""
        return self.outbox.operations

    def records(self) -> list[TrialRecord]:
        """All trials, as any reader would see them now."""
        return [read_trial(trial, self.spec) for trial in self.frozen()]

    def frozen(self) -> list[FrozenTrial]:
        """The same as Optuna has them."""
        return self.storage.get_all_trials(self._study_id, deepcopy=False)

    # --- drivers

    def start(self) -> None:
        """A new driver on what is stored, as a resumed sweep has it."""
        ledger = self.ledger()
        record, trials = ledger.sweep, ledger.records()
        wall_s = max([record.wall_s, *(m.wall_s for trial in trials for m in trial.measurements)])
        self.stop.is_there = False
        ledger.update_sweep(replace(record, state=SweepState.RUNNING, reason="", wall_s=wall_s, ended_ms=None))
        tracker = KillableTracker(self.outbox, self.fuse, self.clock.clock)
        settings = ControlSettings(Path("checkpoints"), self.stop, earlier_wall_s=wall_s)
        self.control = SweepControl(ledger, tracker, settings, clock=self.clock.clock)

    def kill(self) -> None:
        """The driver is gone; its workers do not know yet."""
        self.zombies += self.workers
        self.workers, self.control = [], None

    def finish(self) -> Halt:
        """The driver ends by itself; workers that it did not wait for are zombies."""
        control = self.control
        halt = control.finish()
        ended = replace(control.ledger.sweep, state=halt.state, reason=halt.reason, wall_s=control.wall_s)
        control.ledger.update_sweep(ended)
        self.last_state = halt.state
        self.kill()
        return halt

    def change_spec(self, spec: SweepSpec) -> None:
        """A budget may change between drivers."""
        self.fuse.put_out()
        self.last_state = None
        ledger = self.ledger()
        ledger.replace_spec(replace(ledger.sweep, spec=spec))
        self.spec = spec

    def ledger(self) -> Ledger:
        study = optuna.load_study(study_name=NAME, storage=self.storage)
        record = SweepRecord.from_attrs(NAME, study.user_attrs)
        return Ledger(study, spec=record.spec, fixed=record.fixed)

    # --- workers

    def hand_out(self) -> Worker | None:
        """Give the next attempt to a free worker."""
        assignment = self.control.next()
        if assignment is None:
            return None
        last = -1 if assignment.last_step is None else assignment.last_step
        steps = [step for step in self.checkpoints.get(assignment.checkpoints, ()) if step <= last]
        resumed = max(steps, default=None)
        if resumed is None and assignment.start is not None:
            resumed = int(assignment.start.name.removeprefix("step-"))
            assert resumed in self.checkpoints[assignment.start.parent], "another trial goes on from there"
        worker = Worker(assignment, resumed, resumed, self.clock.now_s, self.clock.now_s)
        self.workers.append(worker)
        return worker

    def begin(self, worker: Worker) -> None:
        """The worker process is there."""
        if not worker.began:
            self.control.began(worker.number, attempt=worker.attempt)
            worker.began, worker.since_s = True, self.clock.now_s

    def train(self, worker: Worker, *, seconds: float, write: bool) -> Measured | Done:
        """The worker reaches its next measurement, or its end; what it says has not arrived yet."""
        self.begin(worker)
        self.clock.advance(seconds)
        took_s = self._took(worker)
        if self._has_all(worker):
            return Done(train_s=took_s)
        worker.step = 0 if worker.step is None else worker.step + 1
        if write or worker.step == worker.assignment.until:
            self._write(worker)
        return Measured(worker.step, metrics(worker.assignment.config, worker.step), took_s)

    def report(self, worker: Worker, outcome: Outcome) -> Directive:
        """The control hears what a worker says, and the worker obeys."""
        directive = self.control.outcome(worker.number, outcome, attempt=worker.attempt)
        worker.is_pausing = directive is Directive.PAUSE
        if directive is Directive.END:
            self._dismiss(worker)
        return directive

    def pause(self, worker: Worker) -> None:
        """A worker that was told to, or that never began, stops for now."""
        if worker.is_pausing:
            self._write(worker)
        self.control.paused(worker.number, attempt=worker.attempt)
        self._dismiss(worker)

    def lose(self, worker: Worker, mishap: Mishap) -> None:
        """The worker is gone; the control is told."""
        self._took(worker)
        self.control.lost(worker.number, mishap, "a fault", attempt=worker.attempt)
        self._dismiss(worker)

    def raised(self, worker: Worker, outcome: Outcome) -> None:
        """The trainable raises between two measurements."""
        self.begin(worker)
        self.report(worker, replace(outcome, train_s=self._took(worker)))

    def _write(self, worker: Worker) -> None:
        steps = self.checkpoints.setdefault(worker.assignment.checkpoints, [])
        if worker.step is not None and worker.step not in steps:
            steps.append(worker.step)
            steps[:] = sorted(steps)[-KEPT:]

    def _has_all(self, worker: Worker) -> bool:
        """Whether it has measured its last epoch."""
        return worker.step == (worker.assignment.until or self.epochs)

    def _took(self, worker: Worker) -> float:
        now_s = self.clock.now_s
        took_s = now_s - worker.since_s
        self.longest_s = max(self.longest_s, now_s - worker.heard_s)
        self.rest_s += took_s if self._has_all(worker) else 0.0
        worker.since_s = worker.heard_s = now_s
        return took_s

    def _dismiss(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.zombies.append(worker)
