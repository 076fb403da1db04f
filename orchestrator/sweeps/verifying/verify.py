"""`verify`: gather what is known of a sweep, ask every check, and say how each came out. Changes nothing."""

from collections.abc import Callable, Mapping

from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.verifying.budgets import check_budgets
from orchestrator.sweeps.verifying.checkpoints import check_best_checkpoint, check_checkpoints
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.gathering import Scope, gather
from orchestrator.sweeps.verifying.histories import check_best_values, check_histories
from orchestrator.sweeps.verifying.parameters import check_parameters
from orchestrator.sweeps.verifying.remains import (
    check_claim,
    check_leftovers,
    check_outbox,
    check_processes,
    check_secrets,
)
from orchestrator.sweeps.verifying.report import CheckId, Outcome, Verification
from orchestrator.sweeps.verifying.runs import check_run_states, check_runs
from orchestrator.sweeps.verifying.trials import check_count, check_endings, check_numbers, check_states
from orchestrator.sweeps.verifying.values import check_objective, check_steps

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
    CheckId.OUTBOX: check_outbox,
    CheckId.BEST_CHECKPOINT: check_best_checkpoint,
    CheckId.SOUND_CHECKPOINTS: check_checkpoints,
    CheckId.LEFTOVERS: check_leftovers,
    CheckId.CLAIM: check_claim,
    CheckId.PROCESSES: check_processes,
    CheckId.SECRETS: check_secrets,
}


def verify(home: Home, reference: str, scope: Scope | None = None) -> Verification:
    """Check one sweep, by name or id, running or not.

    Raises:
        SweepNotFoundError
        InfrastructureError: the ledger or MLflow cannot be read.
    """
    return judge(gather(home, reference, scope or Scope()))


def judge(evidence: Evidence) -> Verification:
    """Ask every check."""
    outcomes = {check: ask(evidence) for check, ask in CHECKS.items()}
    return Verification(evidence.record.name, evidence.record.id, evidence.state, outcomes)
