"""A sweep's progress as data: what the live table, the plain lines and the final summary are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.tracking import Lag
from orchestrator.trial import Cause, TrialRecord, Value


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial in work.

    Attributes:
        value: its best objective so far, None before the first measurement.
        feasible: whether it kept all floors at that epoch.
    """

    number: int
    params: Mapping[str, Value]
    step: int | None
    value: float | None
    last_value: float | None
    elapsed_s: float
    feasible: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a sweep at one moment.

    Attributes:
        causes: how many trials ended for each cause, among all that the ledger has.
        reasons: how many ended for each reason.
        findings: how many trials have each finding, the most frequent first.
        best: the best trial so far, running ones included: number, value, step.
        elapsed_s: seconds of this driver; `wall_s` adds those of earlier ones.
        eta_s: a guess from the trials ended so far, None before the first.
        lag: how far MLflow is behind.
    """

    name: str
    limit: int
    max_epochs: int | None
    num_ended: int
    causes: Mapping[Cause, int]
    reasons: Mapping[str, int]
    findings: Mapping[str, int]
    running: tuple[RunningTrial, ...]
    best: tuple[int, float, int] | None
    elapsed_s: float
    wall_s: float
    wall_limit_s: float | None
    train_s: float
    eta_s: float | None
    lag: Lag
    tracking_error: str | None
    phase: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line: a trial started, measured, ended, or the sweep says something."""

    kind: str
    text: str
    trial: TrialRecord | None = None


Listener = Callable[[Event], None]
"""Called in the driver's thread for each event; must return at once."""


def describe_ending(record: TrialRecord) -> str:
    """One line on how a trial ended."""
    ending = record.ending
    reason = ending.reason if ending else "?"
    value = "no value" if record.value is None else f"best {record.value:.4g} at epoch {record.best_step}"
    how = record.bucket.value if record.bucket else record.state.value.lower()
    why = "" if reason in ("finished", "pruned") else f" ({reason})"
    return f"trial {record.number} {how}{why} after {record.epochs} epochs, {value}"
