"""What a verification says: one result a check, with its violations. Frozen data; the ids of checks are stable."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import ExitCode
from orchestrator.trial import JsonValue


class CheckId(StrEnum):
    """Every check, in the order in which they are shown."""

    TRIAL_NUMBERS = "trials.numbers"
    TRIAL_COUNT = "trials.count"
    TRIAL_ENDINGS = "trials.endings"
    TRIAL_STATES = "trials.states"
    OBJECTIVE_VALUES = "values.objective"
    STEPS = "values.steps"
    BUDGETS = "budgets"
    PARAMETERS = "parameters"
    MLFLOW_RUNS = "mlflow.runs"
    MLFLOW_STATES = "mlflow.states"
    MLFLOW_VALUES = "mlflow.values"
    MLFLOW_HISTORIES = "mlflow.histories"
    OUTBOX = "outbox"
    BEST_CHECKPOINT = "checkpoints.best"
    SOUND_CHECKPOINTS = "checkpoints.sound"
    LEFTOVERS = "leftovers"
    CLAIM = "claim"
    PROCESSES = "processes"
    SECRETS = "secrets"


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is not as it must be.

    Attributes:
        what: in words.
        trial: its number; None where it is not one trial's.
        seen, expected: the values; None where there is nothing to show.
        repairable: whether `orch repair` mends it.
        advice: what a person can do, where it does not.
    """

    what: str
    trial: int | None = None
    seen: JsonValue = None
    expected: JsonValue = None
    repairable: bool = False
    advice: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values with stable keys."""
        return {
            "trial": self.trial,
            "what": self.what,
            "seen": self.seen,
            "expected": self.expected,
            "repairable": self.repairable,
            "advice": self.advice,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found.

    Attributes:
        note: why it does not apply, or what is worth knowing although nothing is broken.
        applies: False where the question makes no sense for this sweep, now.
    """

    violations: Sequence[Violation] = ()
    note: str = ""
    applies: bool = True

    @property
    def health(self) -> Health:
        """A violation breaks."""
        if self.violations:
            return Health.BROKEN
        return Health.OK if self.applies else Health.NOT_APPLICABLE


def not_applicable(why: str) -> Outcome:
    """A check that has nothing to look at."""
    return Outcome(note=why, applies=False)


@dataclass(frozen=True, slots=True)
class Verification:
    """All checks of one sweep.

    Attributes:
        state: the sweep's, or INTERRUPTED where its driver is gone without having said how it ended.
    """

    sweep: str
    sweep_id: str
    state: str
    outcomes: dict[CheckId, Outcome]

    @property
    def violations(self) -> list[Violation]:
        """Of all checks."""
        return [violation for outcome in self.outcomes.values() for violation in outcome.violations]

    @property
    def broken(self) -> list[CheckId]:
        """The checks that found a violation."""
        return [check for check, outcome in self.outcomes.items() if outcome.health is Health.BROKEN]

    @property
    def is_sound(self) -> bool:
        """Whether no check found a violation."""
        return not self.broken

    @property
    def exit_code(self) -> ExitCode:
        """What `orch verify` returns."""
        return ExitCode.DONE if self.is_sound else ExitCode.INTEGRITY

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values with stable keys."""
        return {
            "sweep": self.sweep,
            "id": self.sweep_id,
            "state": self.state,
            "sound": self.is_sound,
            "checks": [
                {
                    "check": check.value,
                    "health": outcome.health.value,
                    "note": outcome.note,
                    "violations": [violation.to_json() for violation in outcome.violations],
                }
                for check, outcome in self.outcomes.items()
            ],
        }
