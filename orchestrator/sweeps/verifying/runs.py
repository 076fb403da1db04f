"""Checks of MLflow's runs: one for each trial for life, in the right place, with the state that the ledger says.

What MLflow lacks counts only when all was said and nothing waits in the outbox; what it has too much of, always.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps

from orchestrator import analysis
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable
from orchestrator.sweeps.verifying.told import Told
from orchestrator.tracking.reading import RunView
from orchestrator.trial import ENDINGS, RunStatus, TrialRecord


def of_mlflow(judge: Callable[[Evidence, Told], Outcome]) -> Callable[[Evidence], Outcome]:
    """A check that needs MLflow does not apply where it was not asked."""

    @wraps(judge)
    def check(evidence: Evidence) -> Outcome:
        return not_applicable(evidence.told) if isinstance(evidence.told, str) else judge(evidence, evidence.told)

    return check


def is_all_told(evidence: Evidence) -> bool:
    """Whether MLflow must know all that the ledger does."""
    return evidence.has_ended and not evidence.backlog.num_pending


def not_all_told(evidence: Evidence) -> Outcome:
    """Why MLflow need not agree yet."""
    if not evidence.has_ended:
        return not_applicable(evidence.standing.value)
    return not_applicable(
        f"{evidence.backlog.num_pending} operations wait for MLflow: orch sync {evidence.record.name}"
    )


@of_mlflow
def check_runs(evidence: Evidence, told: Told) -> Outcome:
    """Trials and runs one to one, below the sweep's own run, and the ledger knows their ids."""
    parent = told.parent(evidence.record.parent_run_id)
    violations = list(_parent_violations(evidence, told, parent))
    for trial in evidence.trials:
        violations += _run_violations(trial, evidence, told, parent)
    for run in told.strays({trial.number for trial in evidence.trials}):
        what = "MLflow has a run of a trial that there is not"
        violations.append(Violation(what, run.trial, seen=run.run_id, repairable=True))
    return Outcome(violations, note=f"{len(told.runs)} runs")


def _parent_violations(evidence: Evidence, told: Told, parent: RunView | None) -> Iterator[Violation]:
    recorded = evidence.record.parent_run_id
    if parent is None:
        if is_all_told(evidence):
            yield Violation("MLflow has no run of the sweep itself", expected=recorded, repairable=True)
        return
    for other in told.parents():
        if other is not parent:
            what = "MLflow has a second run of the sweep itself"
            yield Violation(what, seen=other.run_id, expected=parent.run_id, repairable=True)
    if is_all_told(evidence) and recorded != parent.run_id:
        what = "the ledger does not know the sweep's run"
        yield Violation(what, seen=recorded, expected=parent.run_id, repairable=True)


def _run_violations(trial: TrialRecord, evidence: Evidence, told: Told, parent: RunView | None) -> Iterator[Violation]:
    run, number = told.run_of(trial), trial.number
    if run is None:
        if is_all_told(evidence):
            yield Violation("MLflow has no run of it", number, expected=trial.run_id, repairable=True)
        return
    for other in told.runs_of(number):
        if other is not run:
            yield Violation("MLflow has a second run of it", number, other.run_id, run.run_id, repairable=True)
    if parent is not None and run.parent != parent.run_id:
        yield Violation("its run stands below another one", number, run.parent, parent.run_id, repairable=True)
    if is_all_told(evidence) and trial.run_id != run.run_id:
        yield Violation("the ledger does not know its run", number, trial.run_id, run.run_id, repairable=True)


@of_mlflow
def check_run_states(evidence: Evidence, told: Told) -> Outcome:
    """Status, state and attempt of each run, the sweep's own included; nothing runs after the end."""
    if not is_all_told(evidence):
        return not_all_told(evidence)
    violations: list[Violation] = []
    for trial in evidence.trials:
        if (run := told.run_of(trial)) is not None:
            violations += _differences(_expected_of_trial(trial), run, trial.number)
    if (parent := told.parent(evidence.record.parent_run_id)) is not None:
        counts = analysis.counts(evidence.trials)
        tags = {f"orch.num_{key}": str(count) for key, count in counts.items()}
        violations += _differences(tags | {"orch.state": evidence.record.state.value}, parent, None)
        if parent.status is RunStatus.RUNNING:
            violations.append(Violation("the sweep's run is RUNNING after the end", repairable=True))
    return Outcome(violations)


def _expected_of_trial(trial: TrialRecord) -> dict[str, str]:
    status = RunStatus.KILLED if trial.ending is None else ENDINGS[trial.ending.cause].run_status
    return {_STATUS: status.value, "orch.state": trial.state.value, "orch.attempt": str(trial.attempt)}


_STATUS = "status"


def _differences(expected: dict[str, str], run: RunView, number: int | None) -> Sequence[Violation]:
    seen = {**run.tags, _STATUS: run.status.value}
    return [
        Violation(f"MLflow has another {name}", number, seen.get(name), value, repairable=True)
        for name, value in expected.items()
        if seen.get(name) != value
    ]
