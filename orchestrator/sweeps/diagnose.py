"""`orch diagnose`: the course of every metric of a run and what is wrong with it, of a trial, a CSV or saved epochs.

The only use case that needs scipy. What a folder of embeddings needs beyond that is imported by `saved_epochs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path

from orchestrator.analysis.trends import Trend, trend
from orchestrator.execution.doctor import history_of
from orchestrator.spec.model import Direction
from orchestrator.study import SweepRecord
from orchestrator.sweeps.findings import Since, findings_since
from orchestrator.sweeps.metric_table import read_metric_table
from orchestrator.trial import JsonValue, TrialRecord
from trainables.health import History, vocabulary
from trainables.health.vocabulary import describe

_DIRECTIONS = {
    vocabulary.Direction.HIGHER: Direction.MAXIMIZE,
    vocabulary.Direction.LOWER: Direction.MINIMIZE,
    vocabulary.Direction.NEUTRAL: None,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What there is to say of one run.

    Attributes:
        title: which run.
        objective: the metric that it is chosen by; None when it is not known.
        trends: the metrics that have a direction first, the objective before all.
        constants: metrics that never changed and have no direction.
        notes: how a file was read, a sentence each.
    """

    title: str
    objective: str | None
    num_epochs: int
    trends: Sequence[Trend]
    constants: Mapping[str, float]
    findings: Sequence[Since]
    notes: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "run": self.title,
            "objective": self.objective,
            "num_epochs": self.num_epochs,
            "metrics": [_trend_json(course) for course in self.trends],
            "constants": dict(self.constants),
            "findings": [since.to_json() for since in self.findings],
            "notes": list(self.notes),
        }


def diagnose_trial(sweep: SweepRecord, trial: TrialRecord) -> Diagnosis:
    """A trial of the ledger."""
    history = history_of(sweep, trial.params, trial.measurements, unread=trial.unread)
    return diagnose_history(history, title=f"{sweep.name} trial {trial.number}")


def diagnose_csv(path: Path) -> Diagnosis:
    """A table of metrics.

    Raises:
        UsageError: it cannot be read as one; the message names the line and the column.
    """
    table = read_metric_table(path)
    renamed = ", ".join(f"{column} is {name}" for column, name in table.renamed.items())
    notes = [f"read as: {renamed}", *table.notes] if renamed else table.notes
    return diagnose_history(History(table.measurements), title=str(path), notes=notes)


def diagnose_history(history: History, *, title: str, notes: Sequence[str] = ()) -> Diagnosis:
    """Any run."""
    names = dict.fromkeys(name for m in history.measurements for name in m.metrics)
    referred = {reference.metric for name in names for reference in describe(name).references}
    courses = [_course(name, history) for name in names if name not in referred]
    constant = [course for course in courses if course.is_constant and _direction(course.metric, history) is None]
    return Diagnosis(
        title=title,
        objective=history.objective,
        num_epochs=len(history.measurements),
        trends=sorted((c for c in courses if c not in constant), key=lambda course: _place(course.metric, history)),
        constants={course.metric: course.last[1] for course in constant},
        findings=findings_since(history),
        notes=notes,
    )


def _course(name: str, history: History) -> Trend:
    """What is neither good nor bad says what it is instead."""
    meaning, direction = describe(name), _direction(name, history)
    series = {reference.role: _points(reference.metric, history) for reference in meaning.references}
    last = {role: [value for _, value in points if isfinite(value)] for role, points in series.items()}
    references = {role: values[-1] for role, values in last.items() if values}
    course = trend(name, _points(name, history), direction=direction, references=references)
    return course if course.why or direction is not None else replace(course, why=meaning.text)


def _points(name: str, history: History) -> list[tuple[int, float]]:
    return [(m.step, m.metrics[name]) for m in history.measurements if name in m.metrics]


def _direction(name: str, history: History) -> Direction | None:
    if name == history.objective:
        return Direction.MAXIMIZE if history.maximize else Direction.MINIMIZE
    return _DIRECTIONS[describe(name).direction]


def _place(name: str, history: History) -> tuple[bool, bool, bool, str]:
    """The objective, then what can be judged, `val/` before `train/`."""
    return name != history.objective, _direction(name, history) is None, not name.startswith("val/"), name


def _trend_json(course: Trend) -> dict[str, JsonValue]:
    def point(at: tuple[int, float] | None) -> JsonValue:
        return None if at is None else {"step": at[0], "value": at[1]}

    return {
        "metric": course.metric,
        "first": point(course.first),
        "best": point(course.best),
        "last": point(course.last),
        "slope": course.slope,
        "p_value": course.p_value,
        "movement": course.movement.value,
        "verdict": course.verdict.value,
        "why": course.why,
        "references": dict(course.references),
        "num_finite": course.num_finite,
        "num_not_finite": course.num_not_finite,
    }
