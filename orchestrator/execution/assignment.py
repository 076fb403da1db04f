"""What is sent to a worker, and what comes back: plain data that pickles. Knows no Ray and no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import redact
from orchestrator.spec.model import Objective
from orchestrator.trial import JsonValue
from trainables.contract import Purpose

MAX_MESSAGE = 1_000
MAX_TRACEBACK = 20_000
"""Characters of it that are kept, the last ones: there it says what was raised."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one trial.

    Attributes:
        config: nested values for the trainable's Config.
        seeds: of the trial; more than one are trained side by side and averaged.
        by_seed: metrics that several seeds report one by one, too, with the standard error of their mean.
        checkpoints: the folder that holds this trial's checkpoints.
        last_step: the last step in the ledger; the attempt resumes from the newest sound checkpoint not after it.
        best_value, best_step: the best objective value in the ledger so far and its step.
        checkpoint_interval_s: at most one periodic checkpoint in this many seconds.
        start: the checkpoint of another trial that this one goes on from; None begins untrained.
        until: the step after which the attempt is done; None where the trainable says so.
        purpose: what the trial is run for. `TEST` measures the checkpoint of exactly `last_step` and writes none.
        directory: where the sweep was started: relative paths in the config, and a user's own module, are found there.
        threads: CPU threads of torch in this trial.
        gpu_fraction: of its GPU's memory, what its process may take.
        environment: names of variables that the trainable may see besides those that every one may.
    """

    number: int
    attempt: int
    trainable: str
    config: Mapping[str, JsonValue]
    objective: Objective
    seeds: tuple[int, ...]
    checkpoints: Path
    last_step: int | None = None
    best_value: float | None = None
    best_step: int | None = None
    by_seed: tuple[str, ...] = ()
    checkpoint_interval_s: float = 30.0
    start: Path | None = None
    until: int | None = None
    purpose: Purpose = Purpose.SEARCH
    directory: Path = Path()
    threads: int = 1
    gpu_fraction: float = 1.0
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignments:
    """What one worker gets at a time: one attempt, or several that may be lanes of one computation."""

    of: tuple[Assignment, ...]

    def __str__(self) -> str:
        """Short: Tune puts it into the names of folders."""
        return f"trial-{self.of[0].number}"


@dataclass(frozen=True, slots=True)
class Measured:
    """The trainable yielded after `train_s` seconds.

    Attributes:
        host_bytes, gpu_bytes: the most memory that its process has held so far; 0 where that is not known.
        resamples: of a test, metric name to its values on other draws of what was measured.
        notes: what a user should know of the trial's checkpoints, a line each; it trains on all the same.
    """

    step: int
    metrics: Mapping[str, float]
    train_s: float
    host_bytes: int = 0
    gpu_bytes: int = 0
    resamples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The trainable returned.

    Attributes:
        unread: dotted keys of the config that it never looked at, when it was watched from its beginning.
        train_s: seconds since its last measurement.
        notes: as of `Measured`.
    """

    unread: tuple[str, ...] = ()
    train_s: float = field(default=0.0, compare=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """The trainable raised, `train_s` seconds after its last measurement.

    Attributes:
        message: one line that equal failures share.
        traceback: empty for faulty data.
        out_of_memory: of the machine or of its GPU.
    """

    message: str
    traceback: str
    train_s: float = field(default=0.0, compare=False)
    out_of_memory: bool = False

    def __post_init__(self) -> None:
        """Both are stored, sent to MLflow and shown: passwords of URLs are hidden, and length has an end."""
        object.__setattr__(self, "message", redact(self.message)[:MAX_MESSAGE])
        object.__setattr__(self, "traceback", redact(self.traceback)[-MAX_TRACEBACK:])


Outcome = Measured | Done | Raised
