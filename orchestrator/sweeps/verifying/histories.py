"""Checks of what MLflow shows of the measurements: the best value, and every point of every metric.

What MLflow lacks counts only when all was said; a point too much, or another value, always.
"""

from collections.abc import Iterator, Mapping

from orchestrator import analysis
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.numbers import in_mlflow, same
from orchestrator.sweeps.verifying.report import Outcome, Violation
from orchestrator.sweeps.verifying.runs import is_all_told, not_all_told, of_mlflow
from orchestrator.sweeps.verifying.told import Told
from orchestrator.tracking.delta import mlflow_name
from orchestrator.tracking.reading import RunView
from orchestrator.trial import TrialRecord

TRAIN_S = "time/train_s"
BEST = "best_value"
TRAIN_DIGITS = 6
"""To which the ledger keeps seconds."""
_ANEW = "delete the run in MLflow and run orch repair, which tells it anew"

Curve = Mapping[int, float]


@of_mlflow
def check_best_values(evidence: Evidence, told: Told) -> Outcome:
    """The value of each ended trial, and of the best one, where MLflow shows them."""
    if not is_all_told(evidence):
        return not_all_told(evidence)
    violations: list[Violation] = []
    for trial in evidence.trials:
        run = told.run_of(trial)
        if run is not None and trial.state.is_terminal and trial.value is not None:
            violations += _value_violations(trial, trial.value, run)
    best = analysis.best(evidence.trials, evidence.record.spec.objective)
    parent = told.parent(evidence.record.parent_run_id)
    if best is not None and parent is not None:
        expected = {"orch.best_trial": str(best.number), "orch.best_value": repr(best.value)}
        seen = {name: parent.tags.get(name) for name in expected}
        if seen != expected:
            violations.append(Violation("the sweep's run names another best", None, seen, expected, repairable=True))
    return Outcome(violations)


def _value_violations(trial: TrialRecord, value: float, run: RunView) -> Iterator[Violation]:
    for name, expected in {"orch.value": repr(value), "orch.best_step": str(trial.best_step)}.items():
        if run.tags.get(name) != expected:
            what = f"MLflow has another {name}"
            yield Violation(what, trial.number, run.tags.get(name), expected, repairable=True)
    points = run.histories.get(BEST, ())
    if not points or not same(points[-1][2], value):
        seen = points[-1][2] if points else None
        yield Violation(f"MLflow has another {BEST}", trial.number, seen, value, repairable=not points)


@of_mlflow
def check_histories(evidence: Evidence, told: Told) -> Outcome:
    """Each metric of each trial: one value a step, and that of the ledger."""
    names = {name for trial in evidence.trials for m in trial.measurements for name in m.metrics}
    complete = is_all_told(evidence)
    violations: list[Violation] = []
    num_points = 0
    for trial in evidence.trials:
        if (run := told.run_of(trial)) is None:
            continue
        curves = _curves(trial, sorted(names), with_times=evidence.record.confirming is None)
        for name, expected in curves.items():
            points = run.histories.get(mlflow_name(name), ())
            num_points += len(points)
            seen = [(step, value) for step, _, value in points]
            violations += _curve_violations(trial.number, name, expected, seen, complete=complete)
    note = "" if complete else f"; {not_all_told(evidence).note}"
    return Outcome(violations, note=f"{num_points} points{note}")


def _curves(trial: TrialRecord, names: list[str], *, with_times: bool) -> dict[str, Curve]:
    """Every metric that the sweep knows; a confirmation's reads of test have times of their own."""
    curves: dict[str, Curve] = {
        name: {m.step: in_mlflow(m.metrics[name]) for m in trial.measurements if name in m.metrics} for name in names
    }
    return curves | ({TRAIN_S: {m.step: m.train_s for m in trial.measurements}} if with_times else {})


def _curve_violations(
    number: int, name: str, expected: Curve, seen: list[tuple[int, float]], *, complete: bool
) -> Iterator[Violation]:
    steps = [step for step, _ in seen]
    if doubled := sorted({step for step in steps if steps.count(step) > 1}):
        what = f"MLflow has several values of {name} at a step"
        yield Violation(what, number, [list(point) for point in seen if point[0] in doubled], advice=_ANEW)
    if surplus := sorted(set(steps) - expected.keys()):
        what = f"MLflow has steps of {name} that the ledger has not"
        yield Violation(what, number, surplus, advice=_ANEW)
    digits = TRAIN_DIGITS if name == TRAIN_S else None
    for step, value in seen:
        if step in expected and step not in doubled and not _agree(value, expected[step], digits):
            what = f"MLflow has another value of {name} at step {step}"
            yield Violation(what, number, value, expected[step], advice=_ANEW)
    if complete and (missing := sorted(expected.keys() - set(steps))):
        yield Violation(f"MLflow lacks steps of {name}", number, sorted(set(steps)), missing, repairable=True)


def _agree(seen: float, expected: float, digits: int | None) -> bool:
    return same(seen, expected) if digits is None else abs(seen - expected) <= 10.0**-digits
