"""What is said of how much each parameter matters. Made by `matched_epochs`, kept with the sweep, read by lists.

Without Optuna, so that reading stays quick.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.trial import JsonValue

IMPORTANCE_KEY = "orch:importance"
"""Study attribute with the importance at the sweep's last end."""


@dataclass(frozen=True, slots=True)
class MatchedEpoch:
    """One epoch at which trials were compared.

    Attributes:
        num_trials: how many got so far.
        num_last: how many of them are compared at no later epoch.
        spread: the standard deviation of their values.
        shares: parameter to its part, which sum to 1; empty where all values are equal.
        num_drawn: how many of many trials the shares are of, drawn by the sweep's seed; None where they are of all.
    """

    epoch: int
    num_trials: int
    num_last: int
    spread: float
    shares: dict[str, float]
    num_drawn: int | None = None

    @property
    def words(self) -> str:
        """Which trials they are."""
        drawn = "" if self.num_drawn is None else f"{self.num_drawn} of "
        return f"{drawn}{self.num_trials} trials"

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values; whether trials were drawn is said where they were."""
        shown: dict[str, JsonValue] = {"epoch": self.epoch, "trials": self.num_trials}
        shown |= {} if self.num_drawn is None else {"drawn": self.num_drawn}
        return shown | {"weight": self.weight, "shares": dict(self.shares)}

    @property
    def weight(self) -> float:
        """In the mean over epochs: where trials hardly differ, little is decided."""
        return self.num_last * self.spread if self.shares else 0.0


@dataclass(frozen=True, slots=True)
class Importance:
    """Parameters by importance.

    Attributes:
        shares: parameter to its part of the whole, the most important first; they sum to 1.
        epochs: where the trials were compared. Each trial counts once, at the last epoch of these that it reached.
    """

    shares: dict[str, float]
    epochs: tuple[MatchedEpoch, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {"shares": dict(self.shares), "epochs": [at.to_json() for at in self.epochs]}


@dataclass(frozen=True, slots=True)
class StoredImportance:
    """What a driver found at the end of a sweep.

    Attributes:
        num_ended: how many trials had ended; with another number it is out of date.
        found: None where nothing could be said.
    """

    num_ended: int
    found: Importance | None

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "StoredImportance":
        """Read what `asdict` made."""
        found = written["found"]
        epochs = () if found is None else tuple(MatchedEpoch(**at) for at in found["epochs"])
        return cls(written["num_ended"], None if found is None else Importance(found["shares"], epochs))
