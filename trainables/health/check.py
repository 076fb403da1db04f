"""What a check is: a function from a trial's history to what it saw, and the words that explain it.

The modules beside this one hold the checks by family; `diagnosis` lists them. Knows no metric.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainables.health.finding import Finding, History, Severity


@dataclass(frozen=True, slots=True)
class Sign:
    """What a check saw in one trial.

    Attributes:
        step: the step whose measurement shows it.
        evidence: metric or quantity to value.
        detail: a sentence about this trial alone, such as which of its parts is meant; may be empty.
    """

    severity: Severity
    step: int
    evidence: Mapping[str, float]
    detail: str = ""


Examine = Callable[[History], Sign | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One illness: how it is found, what it means and what would cure it. Called, it examines a trial.

    Attributes:
        found_by: the metrics that are read and the thresholds.
    """

    name: str
    meaning: str
    found_by: str
    cure: str
    examine: Examine

    def __call__(self, history: History) -> Finding | None:
        """The finding, or None when the trial is not ill in this way or was not measured for it."""
        sign = self.examine(history)
        if sign is None:
            return None
        return Finding(
            check=self.name,
            severity=sign.severity,
            step=sign.step,
            evidence=dict(sign.evidence),
            meaning=f"{sign.detail} {self.meaning}".strip(),
            cure=self.cure,
        )


def check(*, meaning: str, found_by: str, cure: str) -> Callable[[Examine], Check]:
    """Make a check of the function below it; the function's name is the check's."""

    def of(examine: Examine) -> Check:
        return Check(name=examine.__name__, meaning=meaning, found_by=found_by, cure=cure, examine=examine)

    return of
