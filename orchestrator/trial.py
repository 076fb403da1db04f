"""What is known of a trial at each stage of its life, and the one table that maps its ending to the libraries' words.

`Suggestion` (to run) -> `Measurement` (while running) -> `Ending` -> `TrialRecord` (remembered). Frozen data only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Value = float | int | str | bool
"""A parameter's value."""

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]

STANDARD_ERROR = "{}/standard_error"
"""The metric in which a trial of several seeds reports how sure it is of the mean of another metric."""


class TrialState(StrEnum):
    """Where a trial stands. The last three are terminal."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        """Whether the trial will never run again."""
        return self in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)


class RunStatus(StrEnum):
    """The end of a trial in MLflow's words."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    KILLED = "KILLED"
    FAILED = "FAILED"


class Bucket(StrEnum):
    """How a sweep counts its ended trials; each trial is in exactly one."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    STOPPED = "stopped"
    FAILED = "failed"


class Cause(StrEnum):
    """Why a trial ended."""

    FINISHED = "finished"
    SETTLED = "settled"
    SICK = "sick"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    ERROR = "error"
    WORKER_LOST = "worker_lost"
    HUNG = "hung"
    OUT_OF_MEMORY = "out_of_memory"


@dataclass(frozen=True, slots=True)
class Mapped:
    """One row of `ENDINGS`; what is `infeasible` is told to the sampler as a place where nothing can be had."""

    state: TrialState
    run_status: RunStatus
    bucket: Bucket
    infeasible: bool = False


ENDINGS: Mapping[Cause, Mapped] = {
    # All epochs done: the value is a full measurement.
    Cause.FINISHED: Mapped(TrialState.COMPLETE, RunStatus.FINISHED, Bucket.COMPLETE),
    # A stop rule that says "more epochs would not change the answer" (plateau, target, max_epochs).
    Cause.SETTLED: Mapped(TrialState.COMPLETE, RunStatus.KILLED, Bucket.STOPPED),
    # A stop rule that says "this one is ill" (collapse, below_untrained): its value must not look like a full one.
    Cause.SICK: Mapped(TrialState.PRUNED, RunStatus.KILLED, Bucket.STOPPED),
    Cause.PRUNED: Mapped(TrialState.PRUNED, RunStatus.KILLED, Bucket.PRUNED),
    Cause.DIVERGED: Mapped(TrialState.FAILED, RunStatus.FAILED, Bucket.FAILED),
    Cause.ERROR: Mapped(TrialState.FAILED, RunStatus.FAILED, Bucket.FAILED),
    # Lost again and again at the same epoch: the trial's own fault.
    Cause.WORKER_LOST: Mapped(TrialState.FAILED, RunStatus.FAILED, Bucket.FAILED),
    Cause.HUNG: Mapped(TrialState.FAILED, RunStatus.FAILED, Bucket.FAILED),
    # Also where nothing else ran: its parameters do not fit.
    Cause.OUT_OF_MEMORY: Mapped(TrialState.FAILED, RunStatus.FAILED, Bucket.FAILED, infeasible=True),
}
"""The one state-mapping table: cause to trial state, MLflow status and the bucket that a sweep counts it in."""


class Mishap(StrEnum):
    """How an attempt ended that says nothing of its trial yet: the trial is tried again."""

    WORKER_LOST = "worker lost"
    NODE_LOST = "node lost"
    HUNG = "hung"
    OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True, slots=True)
class LostAttempt:
    """An attempt that ended by a mishap.

    Attributes:
        attempt: its number.
        mishap: how it ended.
        what: what is known of it, in one line.
        step: the last step in the ledger at that time, None before the first.
        at_ms: wall clock in Unix milliseconds.
    """

    attempt: int
    mishap: Mishap
    what: str
    step: int | None
    at_ms: int

    def __str__(self) -> str:
        """Such as `attempt 2 after epoch 3: worker lost (the worker process died)`."""
        where = "before its first measurement" if self.step is None else f"after epoch {self.step}"
        return f"attempt {self.attempt} {where}: {self.mishap} ({self.what})"


MAX_LOST_ATTEMPTS = 3
"""Attempts that a trial may lose in a row, without a new measurement in between, before the fault is its own."""
MAX_OUT_OF_MEMORY = 2
"""Of these the second one had the machines for itself."""


def given_up(lost: Sequence[LostAttempt]) -> Cause | None:
    """Why a trial that has lost these attempts is not tried again; None as long as it is.

    A lost node, or a preempted one, says nothing of a trial, however often it happens.
    """
    if sum(attempt.mishap is Mishap.OUT_OF_MEMORY for attempt in lost) >= MAX_OUT_OF_MEMORY:
        return Cause.OUT_OF_MEMORY
    own = [a for a in lost if a.mishap in (Mishap.WORKER_LOST, Mishap.HUNG) and a.step == lost[-1].step]
    if len(own) < MAX_LOST_ATTEMPTS:
        return None
    return Cause.HUNG if own[-1].mishap is Mishap.HUNG else Cause.WORKER_LOST


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a training whose parameters may change on the way; each stretch is a trial.

    Attributes:
        member: the training that it belongs to, from 0.
        parent: the trial that it goes on from, at that trial's last step; None at the beginning.
        until: the step at which it ends.
    """

    member: int
    parent: int | None
    until: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A configuration to run.

    Attributes:
        number: the trial's number in its sweep, from 0.
        params: dotted parameter name to value; inactive parameters are absent.
        seeds: what the trial trains with; more than one are trained side by side and averaged.
        attempt: 1 at first; one more for each time that the trial was handed out again.
        last_step: the last step in the ledger, None before the first. A new attempt starts from the newest sound
            checkpoint that is not after it.
        best_value, best_step: the best objective value in the ledger so far and its step, None before the first.
        segment: which stretch of which training it is; None for a whole one.
        parent_step: the step at which the segment goes on from its parent.
        alone: nothing else may run meanwhile, because it has been out of memory.
    """

    number: int
    params: Mapping[str, Value]
    seeds: tuple[int, ...] = (0,)
    attempt: int = 1
    last_step: int | None = None
    best_value: float | None = None
    best_step: int | None = None
    segment: Segment | None = None
    parent_step: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Effort:
    """What training took.

    Attributes:
        device_s: `train_s` times the GPUs that trained, or where there is none the CPU cores.
    """

    train_s: float = 0.0
    device_s: float = 0.0
    epochs: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        """Both together."""
        return Effort(self.train_s + other.train_s, self.device_s + other.device_s, self.epochs + other.epochs)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One evaluation as the ledger remembers it.

    Attributes:
        step: epochs done; 0 is the untrained model.
        metrics: name to value.
        train_s: seconds inside the trainable since the previous measurement.
        at_ms: wall clock in Unix milliseconds.
        devices: GPUs that trained, or where there is none CPU cores.
        host_bytes, gpu_bytes: the most memory that the process had held by then; 0 where that is not known.
        wall_s: seconds that the sweep's drivers had run by then, all together; by monotonic clocks.
    """

    step: int
    metrics: Mapping[str, float]
    train_s: float
    at_ms: int
    devices: float = 1.0
    host_bytes: int = 0
    gpu_bytes: int = 0
    wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a trial ended: `reason` is short and groups equal endings, `detail` holds the numbers behind it."""

    cause: Cause
    reason: str
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the measurements of an ended trial come to. Stored with its ending, so that lists need not read them.

    Attributes:
        num_measured: how many they are.
        epochs: the last measured step.
        effort: what they took, without what came after the last one and without what was repeated.
        value, best_step, values, violated: as in `TrialRecord`.
        findings: check to its severity, as its driver saw them at the end; None where nobody looked.
    """

    num_measured: int
    epochs: int
    effort: Effort
    value: float | None
    best_step: int | None
    values: Mapping[str, float]
    violated: Mapping[str, float]
    findings: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """All that is remembered of one trial.

    Attributes:
        value: the objective's best measured value after step 0; None without one.
        best_step: the step of `value`.
        values: the metric of each objective to its value at `best_step`, whose checkpoint is kept.
        violated: the metrics that are below their floor at `best_step`, with how far below; such a trial is of no use.
        ending: None until the trial has ended.
        seeds: what it trains with.
        replicate_of: the earlier trial of the same configuration that it repeats with other seeds.
        segment: which stretch of which training it is; None for a whole one.
        extends: the trial that it goes on from with more epochs, whose measurements it has; that one counts no more.
        lost_attempts: those that ended by a mishap, oldest first.
        notes: what a user should know of its checkpoints, a line each.
        repeated: training that gave no new measurement: done again, because a checkpoint was older than the last
            measurement, or lost with a worker.
        rest: training after the last measurement, until the trainable returned or raised.
        run_id: the MLflow run, None until it was shipped.
        decisions: the pruner's looks at this trial, oldest first: rung, value, cutoff, rank.
        outline: what its measurements come to, as stored with its ending; None before, and in ledgers of old. A record
            that was read for a list has this in the place of its measurements and decisions.
    """

    number: int
    state: TrialState
    params: Mapping[str, Value]
    measurements: Sequence[Measurement] = ()
    value: float | None = None
    best_step: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    violated: Mapping[str, float] = field(default_factory=dict)
    ending: Ending | None = None
    attempt: int = 1
    seeds: tuple[int, ...] = (0,)
    replicate_of: int | None = None
    segment: Segment | None = None
    extends: int | None = None
    lost_attempts: Sequence[LostAttempt] = ()
    notes: Sequence[str] = ()
    repeated: Effort = Effort()
    rest: Effort = Effort()
    run_id: str | None = None
    decisions: Sequence[Mapping[str, JsonValue]] = ()
    started_ms: int | None = None
    ended_ms: int | None = None
    outline: Outline | None = None

    @property
    def effort(self) -> Effort:
        """What it took, all attempts together."""
        return self.effort_once + self.repeated

    @property
    def effort_once(self) -> Effort:
        """What it took, without what was repeated."""
        return self.outlined.effort + self.rest

    @property
    def train_s(self) -> float:
        """Seconds inside the trainable, all attempts together."""
        return self.effort.train_s

    @property
    def epochs(self) -> int:
        """Epochs done: the last measured step."""
        if self.measurements:
            return self.measurements[-1].step
        return 0 if self.outline is None else self.outline.epochs

    @property
    def outlined(self) -> Outline:
        """What its measurements come to: of the measurements where they are read, otherwise as stored."""
        if self.outline is not None and not self.measurements:
            return self.outline
        effort = Effort(
            train_s=sum(m.train_s for m in self.measurements),
            device_s=sum(m.train_s * m.devices for m in self.measurements),
            epochs=self.epochs if self.segment is None else sum(m.step > 0 for m in self.measurements),
        )
        return Outline(
            num_measured=len(self.measurements),
            epochs=self.epochs,
            effort=effort,
            value=self.value,
            best_step=self.best_step,
            values=self.values,
            violated=self.violated,
            findings=None if self.outline is None else self.outline.findings,
        )

    @property
    def unread(self) -> tuple[str, ...]:
        """Dotted keys of the config that the trainable never looked at; known of trials that ran in full."""
        keys = self.ending.detail.get("unread") if self.ending else None
        return tuple(str(key) for key in keys) if isinstance(keys, list) else ()

    @property
    def needs_all(self) -> bool:
        """Whether its next attempt has the machines for itself: it has been out of memory beside others."""
        return any(lost.mishap is Mishap.OUT_OF_MEMORY for lost in self.lost_attempts)

    @property
    def bucket(self) -> Bucket | None:
        """The bucket that it is counted in, None while it has not ended."""
        return ENDINGS[self.ending.cause].bucket if self.ending else None
