"""The control logic of a sweep: which trial next, what a measurement means, when to stop. Knows no runner and no Ray.

A runner calls `next`, runs what it gets, and passes each outcome to `outcome`; it obeys the directive. Attempts at a
trial are numbered, and what comes from another one than the current is not heard. Everything here runs in the driver's
one thread, but for `request_pause` and `progress`, which only read or set a reference.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from orchestrator import stopping
from orchestrator.analysis.budgets import SECONDS_PER_HOUR, UNITS, used_up
from orchestrator.analysis.costs import total_effort
from orchestrator.analysis.leaderboard import current
from orchestrator.execution.assigning import assign
from orchestrator.execution.assignment import Assignment, Done, Measured, Outcome, Raised
from orchestrator.execution.clock import Clock
from orchestrator.execution.doctor import Doctor, severities
from orchestrator.execution.progress import Event, Listener, Progress, describe_ending
from orchestrator.execution.retelling import retell_trials
from orchestrator.execution.tally import Active, Tally
from orchestrator.spec import resolve
from orchestrator.study import Ledger, SweepState
from orchestrator.tracking import Tracker
from orchestrator.trial import (
    Cause,
    Effort,
    Ending,
    JsonValue,
    LostAttempt,
    Measurement,
    Mishap,
    Suggestion,
    TrialRecord,
)

STOP_POLL_S = 0.5
WORTH_NOTING_S = 0.01
"""Seconds after a trial's last measurement that are worth a write."""


class Directive(Enum):
    """What a runner does with a trial after an outcome."""

    GO_ON = auto()
    END = auto()
    PAUSE = auto()


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the sweep stops before its trials are done."""

    state: SweepState
    reason: str


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Where a sweep's files are, and what came before.

    Attributes:
        checkpoints: folder of all trials' checkpoints.
        stop_request: a file whose appearance asks the sweep to pause.
        directory: where the sweep was started.
        earlier_wall_s: seconds that earlier drivers of this sweep ran.
        devices: GPUs of a trial, or where it has none its CPU cores; a budget of GPU-hours counts them.
        gpu_fraction: of a GPU's memory, what a trial may take beside others.
        grace_s: how long a halting sweep waits for trials in the middle of an epoch.
    """

    checkpoints: Path
    stop_request: Path
    directory: Path = Path()
    earlier_wall_s: float = 0.0
    devices: float = 1.0
    gpu_fraction: float = 1.0
    grace_s: float = 60.0


class SweepControl:
    """Drives one sweep over its ledger and its tracker."""

    def __init__(
        self,
        ledger: Ledger,
        tracker: Tracker,
        settings: ControlSettings,
        *,
        clock: Clock,
        listener: Listener = lambda event: None,
    ) -> None:
        """Read what the ledger has; trials that an earlier driver left open will be handed out first."""
        self.ledger = ledger
        self.spec = ledger.spec
        self._tracker = tracker
        self._settings = settings
        self._clock = clock
        self._listener = listener
        self._doctor = Doctor(ledger.sweep, tracker, listener=listener)
        self._started_s = clock.monotonic_s()
        self._polled_s = self._started_s
        self._active: dict[int, Active] = {}
        self._all_asked = False
        self._tally = Tally(self.spec.objective)
        self._earlier_ended = 0
        self._phase = "starting"
        self.halt: Halt | None = None
        self._halted_s = 0.0
        for record in current(records := ledger.records()):
            if record.state.is_terminal:
                self._tally.count(record)
        self._earlier_ended = self._tally.num_ended
        self._tally.effort = total_effort(records)
        self._doctor.recall(records)
        self._say_again(records)
        self._open = deque(ledger.interrupted())

    # --- what a runner calls

    def next(self) -> Assignment | None:
        """The next attempt to run; None when there is nothing more to hand out."""
        self.tick()
        if self.halt or any(active.suggestion.alone for active in self._active.values()):
            return None
        suggestion = self._take_up() or self._ask()
        if suggestion is None:
            return None
        self._phase = "searching"
        record = self._activate(suggestion)
        self._tracker.start_trial(suggestion, resolve(self.spec, suggestion.params))
        if record.extends is not None:
            # It has that trial's measurements, which its own run has not got yet.
            for measurement in record.measurements:
                self._tracker.measure(record.number, measurement)
        again = f", attempt {suggestion.attempt}" if suggestion.attempt > 1 else ""
        self._listener(Event("started", f"trial {suggestion.number} started{again}"))
        return assign(
            suggestion,
            self.spec,
            checkpoints=self._settings.checkpoints,
            directory=self._settings.directory,
            gpu_fraction=self._settings.gpu_fraction,
        )

    @property
    def is_waiting(self) -> bool:
        """Whether there may be something to hand out later: a running trial can be lost, or be waited for."""
        return self.halt is None and bool(self._active)

    def began(self, number: int, *, attempt: int) -> None:
        """An attempt runs: from now on it is expected to measure."""
        if self._is_current(number, attempt):
            self._active[number].heard_s = self._clock.monotonic_s()

    @property
    def hung(self) -> list[int]:
        """Trials in work that have not measured for longer than `resources.hang_timeout_s`; a runner ends them."""
        limit_s, now_s = self.spec.resources.hang_timeout_s, self._clock.monotonic_s()
        if limit_s is None:
            return []
        return [n for n, a in self._active.items() if a.heard_s is not None and now_s - a.heard_s > limit_s]

    def outcome(self, number: int, outcome: Outcome, *, attempt: int) -> Directive:
        """Store what an attempt did and say how it goes on. One that is not its trial's current one is not heard."""
        self.tick()
        if not self._is_current(number, attempt):
            return Directive.END
        if not isinstance(outcome, Raised) and outcome.notes:
            self._note(number, outcome.notes)
        match outcome:
            case Measured():
                # As the ledger stores it: the next driver counts and says the same.
                return self._measured(number, replace(outcome, train_s=round(outcome.train_s, 6)))
            case Done(unread=unread, train_s=train_s):
                self._note_rest(number, train_s)
                self._end(number, self._finished(number, unread))
            case Raised(message=message, train_s=train_s, out_of_memory=True):
                self._lose(number, Mishap.OUT_OF_MEMORY, message, train_s=train_s)
            case Raised(message=message, traceback=text, train_s=train_s):
                self._note_rest(number, train_s)
                self._end(number, Ending(Cause.ERROR, message, {"traceback": text} if text else {}))
        return Directive.END

    def lost(self, number: int, mishap: Mishap, what: str, *, attempt: int) -> None:
        """The worker of an attempt is gone; the trial is tried again from its last checkpoint."""
        if self._is_current(number, attempt):
            heard_s = self._active[number].heard_s
            train_s = 0.0 if heard_s is None else self._clock.monotonic_s() - heard_s
            self._lose(number, mishap, what, train_s=train_s)

    def paused(self, number: int, *, attempt: int) -> None:
        """An attempt was ended on purpose before its time; the ledger keeps it open."""
        if self._is_current(number, attempt):
            self._pause(number)

    def _pause(self, number: int) -> None:
        record = self.ledger.pause(number)
        del self._active[number]
        self._doctor.see_off(record)
        self._tracker.end_trial(number, None, record)
        self._listener(Event("paused", f"trial {number} paused at epoch {record.epochs}", record))

    def tick(self) -> None:
        """Look at the budgets and for a stop request. Runners call it often; it costs little."""
        if self.halt:
            return
        self._halt_if_used_up()
        now_s = self._clock.monotonic_s()
        if now_s - self._polled_s < STOP_POLL_S:
            return
        self._polled_s = now_s
        if self._settings.stop_request.exists():
            self.request_pause("orch stop")

    def request_pause(self, reason: str) -> None:
        """End the sweep soon, with nothing lost; safe to call from a signal handler."""
        self._halt(Halt(SweepState.PAUSED, reason))

    @property
    def must_abandon(self) -> bool:
        """Whether a halting sweep has waited long enough for trials in the middle of an epoch."""
        return self.halt is not None and self._clock.monotonic_s() - self._halted_s > self._settings.grace_s

    @property
    def is_drained(self) -> bool:
        """Whether a halting sweep has no trial in work any more."""
        return self.halt is not None and not self._active

    def finish(self) -> Halt:
        """Pause what is still open, and say how the sweep ended."""
        left_open = [*self._active, *self._open]
        is_done = self._tally.num_ended >= self.ledger.limit
        for number in list(self._active):
            self._pause(number)
        for number in self._open:
            # No runner has asked for it; its run may still be open.
            self._tracker.end_trial(number, None, self.ledger.record(number))
        self._phase = "finished"
        if self.halt and not (is_done and self.halt.state is SweepState.BUDGET_ENDED):
            return self.halt
        if left_open:
            return Halt(SweepState.PAUSED, f"the runner left {len(left_open)} trials open")
        if self._tally.num_ended and not self._tally.any_success:
            return Halt(SweepState.FAILED, "every trial failed")
        why = f"; {self.ledger.exhausted}" if self.ledger.exhausted else ""
        return Halt(SweepState.COMPLETE, f"all {self._tally.num_ended} trials have ended{why}")

    def say(self, text: str) -> None:
        """Tell the user how trials are run."""
        self._listener(Event("noted", text))

    # --- what the user interface reads

    @property
    def elapsed_s(self) -> float:
        """Seconds since this driver started."""
        return self._clock.monotonic_s() - self._started_s

    @property
    def wall_s(self) -> float:
        """Seconds that all drivers of this sweep have run."""
        return self._settings.earlier_wall_s + self.elapsed_s

    @property
    def phase(self) -> str:
        """What the sweep does now, in one word."""
        return "halting" if self.halt and self._phase == "searching" else self._phase

    def progress(self) -> Progress:
        """The state of the sweep now."""
        now_s, objective = self._clock.monotonic_s(), self.spec.objective
        running = tuple(active.running(objective, now_s) for active in list(self._active.values()))
        ended_here = self._tally.num_ended - self._earlier_ended
        left = self.ledger.limit - self._tally.num_ended
        hours = self.spec.budget.wall_hours
        return Progress(
            name=self.ledger.name,
            limit=self.ledger.limit,
            max_epochs=self.ledger.max_epochs,
            num_ended=self._tally.num_ended,
            causes=dict(self._tally.causes),
            reasons=dict(self._tally.reasons),
            findings=self._doctor.counts,
            running=running,
            best=self._tally.best_with(running),
            elapsed_s=self.elapsed_s,
            wall_s=self.wall_s,
            wall_limit_s=None if hours is None else hours * SECONDS_PER_HOUR,
            train_s=self._tally.effort.train_s,
            eta_s=self.elapsed_s / ended_here * left if ended_here else None,
            lag=self._tracker.lag,
            tracking_error=self._tracker.last_error,
            phase=self.phase,
        )

    # --- inside

    def _halt_if_used_up(self) -> None:
        """A trial in the middle of an epoch goes on to its end, so that a budget is exceeded by an epoch of each."""
        gone = used_up(self.spec.budget, self._tally.effort, wall_s=self.wall_s)
        if gone and not self._is_nearly_done:
            what = " and ".join(f"{value:g} {UNITS[limit]}" for limit, value in gone.items())
            self._halt(Halt(SweepState.BUDGET_ENDED, f"the budget of {what} is used up"))

    @property
    def _is_nearly_done(self) -> bool:
        """Whether nothing is left to hand out and no trial has another epoch before it."""
        if self._open or self._tally.num_ended + len(self._active) < self.ledger.limit:
            return False
        return all(active.history and self._is_last(active.history[-1].step) for active in self._active.values())

    def _spend(self, number: int, outcome: Measured) -> None:
        """Count what an outcome took; training that was done before, since its checkpoint was older, is spent again."""
        active, device_s = self._active[number], outcome.train_s * self._settings.devices
        if active.history and outcome.step <= active.history[-1].step:
            effort = Effort(outcome.train_s, device_s, int(outcome.step > 0))
            self.ledger.note_repeated(number, effort)
        else:
            before = active.history[-1].step if active.history else active.suggestion.parent_step or 0
            effort = Effort(outcome.train_s, device_s, outcome.step - before)
        self._tally.effort += effort

    def _note_rest(self, number: int, train_s: float) -> None:
        self._charge(number, train_s, self.ledger.note_rest)

    def _charge(self, number: int, train_s: float, note: Callable[[int, Effort], None]) -> None:
        """Count training that came to no measurement, where it is worth a write."""
        if train_s >= WORTH_NOTING_S:
            effort = Effort(train_s, train_s * self._settings.devices)
            note(number, effort)
            self._tally.effort += effort

    def _say_again(self, records: Sequence[TrialRecord]) -> None:
        """Tell the tracker what it has missed: a driver can die between a write to the ledger and the next one."""
        retell_trials(self._tracker, self.ledger.sweep, records)

    def _activate(self, suggestion: Suggestion) -> TrialRecord:
        record, now_s = self.ledger.record(suggestion.number), self._clock.monotonic_s()
        self._active[suggestion.number] = Active(
            suggestion, list(record.measurements), now_s, best=suggestion.best_value, feasible=not record.violated
        )
        return record

    def _is_current(self, number: int, attempt: int) -> bool:
        return number in self._active and self._active[number].suggestion.attempt == attempt

    def _note(self, number: int, notes: Sequence[str]) -> None:
        self.ledger.note(number, notes)
        self._tracker.tag(number, {"orch.note": "; ".join(notes)})
        for note in notes:
            self._listener(Event("noted", f"trial {number}: {note}"))

    def _lose(self, number: int, mishap: Mishap, what: str, *, train_s: float) -> None:
        """End an attempt that says nothing of its trial yet; while the sweep halts that is no more than a pause."""
        active = self._active[number]
        self._charge(number, train_s, self.ledger.note_repeated)
        if self.halt:
            self._pause(number)
            return
        step = active.history[-1].step if active.history else None
        lost = LostAttempt(active.suggestion.attempt, mishap, what, step, self._clock.now_ms())
        ending = self.ledger.lose(number, lost)
        self._listener(Event("lost", f"trial {number} {lost}"))
        if ending is not None:
            self._end(number, ending)
            return
        self._pause(number)
        self._open.append(number)

    def _ask(self) -> Suggestion | None:
        """A new trial, unless there is none any more or an open one waits for the machines to be free."""
        if self.halt or self._open or self._all_asked:
            return None
        suggestion = self.ledger.ask()
        self._all_asked = suggestion is None and not self.ledger.is_waiting
        return suggestion

    def _take_up(self) -> Suggestion | None:
        """The next open trial, of an earlier driver or of a lost worker; one whose ending is due ends now."""
        while self._open and not self.halt:
            number = self._open[0]
            if self.ledger.record(number).needs_all and self._active:
                return None
            self._open.popleft()
            suggestion = self.ledger.again(number)
            ending = self.ledger.overdue(number)
            if (ending is None or ending.cause is Cause.PRUNED) and suggestion.last_step is not None:
                ending = self._judge(self.ledger.record(number).measurements, pruned=ending)
            if ending is None:
                return suggestion
            self._activate(suggestion)
            self._end(number, ending)
        return None

    def _measured(self, number: int, outcome: Measured) -> Directive:
        active, objective = self._active[number], self.spec.objective
        active.heard_s = self._clock.monotonic_s()
        missing = [metric for metric in self.spec.watched_metrics if metric not in outcome.metrics]
        if missing:
            self._missing(number, missing[0], outcome)
            return Directive.END
        self._spend(number, outcome)
        last = self._is_last(outcome.step)
        if active.history and outcome.step <= active.history[-1].step:
            self._halt_if_used_up()
            return Directive.PAUSE if self.halt else Directive.GO_ON
        measurement = self._measurement(outcome)
        pruned = self.ledger.report(number, measurement, last=last)
        active.note(measurement, objective, feasible=not self.spec.missed_floors(measurement.metrics))
        self._tracker.measure(number, measurement)
        value = measurement.metrics[objective.metric]
        self._listener(Event("measured", f"trial {number} epoch {measurement.step} {objective.metric} {value:.4g}"))
        self._doctor.examine(number, active.suggestion.params, active.history)
        ending = self._judge(active.history, pruned=pruned)
        if ending is not None:
            self._end(number, ending)
            return Directive.END
        self._halt_if_used_up()
        return Directive.PAUSE if self.halt and not last else Directive.GO_ON

    def _measurement(self, outcome: Measured) -> Measurement:
        return Measurement(
            outcome.step,
            outcome.metrics,
            outcome.train_s,
            self._clock.now_ms(),
            devices=self._settings.devices,
            host_bytes=outcome.host_bytes,
            gpu_bytes=outcome.gpu_bytes,
            wall_s=self.wall_s,
        )

    def _is_last(self, step: int) -> bool:
        return self.ledger.max_epochs is not None and step >= self.ledger.max_epochs

    def _judge(self, history: Sequence[Measurement], *, pruned: Ending | None) -> Ending | None:
        """Whether a trial ends after its newest measurement; a full-length one finishes instead of settling."""
        ending = stopping.decide(self.spec.stop, history, self.spec.objective, finite=self.spec.watched_metrics)
        if ending is not None and ending.cause is Cause.SETTLED and self._is_last(history[-1].step):
            ending = None
        return pruned if ending is None or (ending.cause is Cause.SETTLED and pruned) else ending

    def _finished(self, number: int, unread: Sequence[str]) -> Ending:
        history = self._active[number].history
        if not history:
            return Ending(Cause.ERROR, "the trainable returned without a measurement")
        detail: dict[str, JsonValue] = {"epochs": history[-1].step}
        return Ending(Cause.FINISHED, "finished", detail | ({"unread": list(unread)} if unread else {}))

    def _missing(self, number: int, metric: str, outcome: Measured) -> None:
        what = "objective" if metric in (o.metric for o in self.spec.objectives) else "metric of a floor,"
        reported = ", ".join(sorted(outcome.metrics)) or "nothing"
        self._end(number, Ending(Cause.ERROR, f"the trainable does not report {metric}", {"reported": reported}))
        self._halt(Halt(SweepState.FAILED, f"the trainable does not report the {what} {metric}; it reports {reported}"))

    def _end(self, number: int, ending: Ending) -> None:
        del self._active[number]
        found = self._doctor.look(self.ledger.record(number), ending)
        record = self.ledger.tell(number, ending, wall_s=self.wall_s, findings=severities(found))
        self._tally.count(record)
        self._doctor.see_off(record, found)
        self._tracker.end_trial(number, ending, record)
        self._listener(Event("ended", describe_ending(record), record))
        self._stop_on_equal_failures()

    def _stop_on_equal_failures(self) -> None:
        repeated = self._tally.repeated_failure()
        if repeated is not None and repeated.count >= self.spec.budget.max_failures:
            why = f"{repeated.count} equal failures before any success: {repeated.reason}"
            self._halt(Halt(SweepState.FAILED, why))

    def _halt(self, halt: Halt) -> None:
        if self.halt is None:
            self._halted_s = self._clock.monotonic_s()
            self.halt = halt
            self._listener(Event("halting", f"stopping: {halt.reason}"))
