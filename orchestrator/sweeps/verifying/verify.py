"""`verify`: gather what is known of a sweep, ask every check, and say how each came out. Changes nothing."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from orchestrator.study import Ledger, SweepRecord
from orchestrator.study.redrafting import Redraft, redrafted
from orchestrator.study.stored import stored_trials
from orchestrator.sweeps.drive import EXPERIMENT
from orchestrator.sweeps.lock import holder
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.sweeps.verifying.budgets import check_budgets
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.histories import check_best_values, check_histories
from orchestrator.sweeps.verifying.parameters import check_parameters, why_not_redrafted
from orchestrator.sweeps.verifying.report import CheckId, Outcome, Verification
from orchestrator.sweeps.verifying.runs import check_run_states, check_runs
from orchestrator.sweeps.verifying.told import Told
from orchestrator.sweeps.verifying.trials import check_count, check_endings, check_numbers, check_states
from orchestrator.sweeps.verifying.values import check_objective, check_steps
from orchestrator.tracking import num_pending
from orchestrator.tracking.reading import read_runs

CHECKS: Mapping[CheckId, Callable[[Evidence], Outcome]] = {
    CheckId.TRIAL_NUMBERS: check_numbers,
    CheckId.TRIAL_COUNT: check_count,
    CheckId.TRIAL_ENDINGS: check_endings,
    CheckId.TRIAL_STATES: check_states,
    CheckId.OBJECTIVE_VALUES: check_objective,
    CheckId.STEPS: check_steps,
    CheckId.BUDGETS: check_budgets,
    CheckId.PARAMETERS: check_parameters,
    CheckId.MLFLOW_RUNS: check_runs,
    CheckId.MLFLOW_STATES: check_run_states,
    CheckId.MLFLOW_VALUES: check_best_values,
    CheckId.MLFLOW_HISTORIES: check_histories,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at besides the ledger.

    Attributes:
        mlflow: read the runs.
        replay: draft the trials of a sequential sweep again.
    """

    mlflow: bool = True
    replay: bool = True


def verify(home: Home, reference: str, scope: Scope | None = None) -> Verification:
    """Check one sweep, by name or id, running or not.

    Raises:
        SweepNotFoundError
        InfrastructureError: the ledger or MLflow cannot be read.
    """
    evidence = gather(home, reference, scope or Scope())
    outcomes = {check: judge(evidence) for check, judge in CHECKS.items()}
    return Verification(evidence.record.name, evidence.record.id, evidence.state, outcomes)


def gather(home: Home, reference: str, scope: Scope) -> Evidence:
    """All evidence. Who drives is asked first: a sweep that ends meanwhile still counts as running.

    MLflow is read before the ledger, which is written first: MLflow never knows more.
    """
    with closing(open_storage(home)) as storage:
        found = storage.find(reference)
        driver = holder(home.sweep(found.id).lock)
        told = _told(home, found, scope)
        ledger = storage.open(reference)
        record, trials = ledger.sweep, ledger.records()
        return Evidence(
            record=record,
            trials=trials,
            stored=stored_trials(ledger),
            limit=ledger.limit,
            driver=driver,
            redrafts=_redrafts(ledger, scope),
            told=told,
        )


def _told(home: Home, record: SweepRecord, scope: Scope) -> Told | str:
    if not scope.mlflow:
        return "--no-mlflow"
    waiting = num_pending(home.sweep(record.id).outbox)
    uri = home.tracking_of(record.tracking_uri)
    return Told(read_runs(record.id, experiment=EXPERIMENT, tracking_uri=uri, histories=True), waiting)


def _redrafts(ledger: Ledger, scope: Scope) -> list[Redraft] | str:
    if not scope.replay:
        return "--no-replay"
    why_not = why_not_redrafted(ledger.sweep, ledger.records())
    return why_not or list(redrafted(ledger))
