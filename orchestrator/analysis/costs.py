"""Where a sweep's training went, by how its trials ended. Pure functions over trial records; the parts add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.analysis.budgets import SECONDS_PER_HOUR
from orchestrator.analysis.leaderboard import current
from orchestrator.trial import Bucket, Effort, JsonValue, TrialRecord


class Kind(StrEnum):
    """What training was spent on."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    STOPPED = "stopped by rule"
    FAILED = "failed"
    OPEN = "unfinished"
    REPEATED = "repeated after a loss"
    CONFIRMATION = "confirmation"


_KINDS = {
    Bucket.COMPLETE: Kind.COMPLETE,
    Bucket.PRUNED: Kind.PRUNED,
    Bucket.STOPPED: Kind.STOPPED,
    Bucket.FAILED: Kind.FAILED,
    None: Kind.OPEN,
}


@dataclass(frozen=True, slots=True)
class Costs:
    """Effort by kind, each kind once.

    Attributes:
        on_gpu: whether `device_s` are seconds of GPUs; otherwise of CPU cores.
    """

    by_kind: Mapping[Kind, Effort]
    on_gpu: bool

    @property
    def total(self) -> Effort:
        """All of it."""
        return sum(self.by_kind.values(), Effort())

    @property
    def unit(self) -> str:
        """What hours are counted in."""
        return "GPU-hours" if self.on_gpu else "core-hours"

    def hours(self, kind: Kind) -> float:
        """Of a kind, in `unit`."""
        return self.by_kind[kind].device_s / SECONDS_PER_HOUR

    @property
    def words(self) -> str:
        """One line: the total and the share of each kind that there is, the largest first."""
        total = self.total.device_s
        if not total:
            return f"0 {self.unit}"
        kinds = sorted((kind for kind in Kind if self.by_kind[kind].device_s), key=self.hours, reverse=True)
        shares = ", ".join(f"{self.by_kind[kind].device_s / total:.0%} {kind}" for kind in kinds)
        return f"{total / SECONDS_PER_HOUR:.3g} {self.unit}, {self.total.epochs} epochs: {shares}"

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values with stable keys."""
        parts: dict[str, JsonValue] = {_key(kind): _effort_json(effort) for kind, effort in self.by_kind.items()}
        return {"unit": self.unit, **parts, "total": _effort_json(self.total)}

    def tags(self) -> dict[str, str]:
        """For the sweep's MLflow run: hours of each kind that there is, and of all."""
        parts = {f"orch.cost.{_key(kind)}_h": self.hours(kind) for kind in Kind if self.by_kind[kind].device_s}
        parts["orch.cost.total_h"] = self.total.device_s / SECONDS_PER_HOUR
        return {key: f"{value:.6g}" for key, value in parts.items()} | {"orch.cost.unit": self.unit}


def costs(records: Sequence[TrialRecord], *, on_gpu: bool, confirmation: Sequence[TrialRecord] = ()) -> Costs:
    """The ledger of a search's `records`, and of the trials of its `confirmation`."""
    by_kind = dict.fromkeys(Kind, Effort())
    for record in current(records):
        kind = _KINDS[record.bucket]
        by_kind[Kind.REPEATED] += record.repeated
        by_kind[kind] += record.effort_once
    for record in confirmation:
        by_kind[Kind.CONFIRMATION] += record.effort
    return Costs(by_kind, on_gpu)


def total_effort(records: Sequence[TrialRecord]) -> Effort:
    """What all of a sweep's trials took together."""
    return sum((record.effort for record in current(records)), Effort())


def _key(kind: Kind) -> str:
    return kind.name.lower()


def _effort_json(effort: Effort) -> dict[str, JsonValue]:
    return {
        "train_s": round(effort.train_s, 3),
        "hours": round(effort.device_s / SECONDS_PER_HOUR, 6),
        "epochs": effort.epochs,
    }
