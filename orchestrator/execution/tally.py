"""What the control keeps in memory of trials in work and of trials that have ended, so that progress costs nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.execution.progress import RunningTrial
from orchestrator.spec.model import Objective
from orchestrator.trial import ENDINGS, Bucket, Cause, Effort, Measurement, Suggestion, TrialRecord


@dataclass(slots=True)
class Active:
    """A trial in work.

    Attributes:
        heard_s: when its attempt began to run, or measured last; None before that.
        best: its best objective after step 0 so far, `feasible` whether it then kept the floors.
    """

    suggestion: Suggestion
    history: list[Measurement]
    started_s: float
    heard_s: float | None = None
    best: float | None = None
    feasible: bool = True

    def note(self, measurement: Measurement, objective: Objective, *, feasible: bool = True) -> None:
        """Add a measurement."""
        self.history.append(measurement)
        value = measurement.metrics[objective.metric]
        if measurement.step > 0 and value == value and (self.best is None or objective.better(value, self.best)):
            self.best, self.feasible = value, feasible

    def running(self, objective: Objective, now_s: float) -> RunningTrial:
        """How it stands, for the live table."""
        last = self.history[-1] if self.history else None
        return RunningTrial(
            number=self.suggestion.number,
            params=self.suggestion.params,
            step=None if last is None else last.step,
            value=self.best,
            last_value=None if last is None else last.metrics[objective.metric],
            elapsed_s=now_s - self.started_s,
            feasible=self.feasible,
        )


@dataclass(frozen=True, slots=True)
class RepeatedFailure:
    """The most frequent reason of failures, and how often it came."""

    reason: str
    count: int


@dataclass(slots=True)
class Tally:
    """What has ended, and what all trials took.

    Attributes:
        effort: of all trials, those in work included.
        best: the best trial that may be one: number, value, step.
    """

    objective: Objective
    causes: Counter[Cause] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    effort: Effort = field(default_factory=Effort)
    best: tuple[int, float, int] | None = None

    def count(self, record: TrialRecord) -> None:
        """Add a trial that has ended."""
        ending = record.ending
        if ending is None:
            return
        self.causes[ending.cause] += 1
        self.reasons[ending.reason] += 1
        if ENDINGS[ending.cause].bucket is Bucket.FAILED:
            self.failures[ending.reason] += 1
        elif (
            ending.cause is not Cause.SICK
            and not record.violated
            and record.value is not None
            and record.best_step is not None
        ):
            self.best = self._better_of(self.best, (record.number, record.value, record.best_step))

    @property
    def num_ended(self) -> int:
        """How many trials have ended."""
        return self.causes.total()

    @property
    def any_success(self) -> bool:
        """Whether any trial ended otherwise than by failing."""
        return any(ENDINGS[cause].bucket is not Bucket.FAILED for cause in self.causes)

    def repeated_failure(self) -> RepeatedFailure | None:
        """The most frequent failure, as long as nothing has succeeded."""
        if self.any_success or not self.failures:
            return None
        return RepeatedFailure(*self.failures.most_common(1)[0])

    def best_with(self, running: Sequence[RunningTrial]) -> tuple[int, float, int] | None:
        """The best trial, those in work included."""
        best = self.best
        for trial in running:
            if trial.value is not None and trial.feasible:
                best = self._better_of(best, (trial.number, trial.value, trial.step or 0))
        return best

    def _better_of(self, best: tuple[int, float, int] | None, other: tuple[int, float, int]) -> tuple[int, float, int]:
        return other if best is None or self.objective.better(other[1], best[1]) else best
