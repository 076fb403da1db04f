"""`repair`: do what mends a sweep that nobody drives, under its lock, and verify again."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.errors import LockedError
from orchestrator.execution.clock import Clock
from orchestrator.study import Ledger, SweepState
from orchestrator.study.mending import mark_paused, tell_stored_ending
from orchestrator.sweeps.lock import driving
from orchestrator.sweeps.maintain import deliver
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.gathering import Scope, gather
from orchestrator.sweeps.verifying.report import CheckId, Verification
from orchestrator.sweeps.verifying.steps import Steps, plan_steps
from orchestrator.sweeps.verifying.verify import judge, verify
from orchestrator.tracking.correcting import correct_runs

TIMEOUT_S = 120.0
"""How long MLflow may take to take everything."""
_TELLING = (CheckId.MLFLOW_RUNS, CheckId.MLFLOW_STATES, CheckId.MLFLOW_VALUES, CheckId.MLFLOW_HISTORIES)


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done, or would be.

    Attributes:
        done: one line each.
        verification: afterwards; of the sweep as it is where nothing was to be done.
    """

    done: Sequence[str]
    verification: Verification


def repair(home: Home, reference: str, scope: Scope, *, clock: Clock, dry_run: bool = False) -> Repair:
    """Mend what can be mended; with `dry_run` only say what that would be.

    Raises:
        SweepNotFoundError
        LockedError: somebody drives the sweep.
        InfrastructureError: the ledger or MLflow cannot be read.
    """
    evidence = gather(home, reference, scope)
    if evidence.driver is not None:
        name = evidence.record.name
        raise LockedError(f"sweep {name} is driven by {evidence.driver}; to mend it, pause it first: orch stop {name}")
    before = judge(evidence)
    steps = plan_steps(evidence, mlflow_differs=_is_to_be_told(before))
    words = steps.words()
    if dry_run or not words:
        return Repair(words, before)
    _mend(home, evidence, steps, clock=clock)
    if steps.tell:
        deliver(home, evidence.record.name, clock=clock, timeout_s=TIMEOUT_S, everything=True)
    return Repair(words, verify(home, reference, scope))


def _is_to_be_told(verification: Verification) -> bool:
    return any(violation.repairable for check in _TELLING for violation in verification.outcomes[check].violations)


def _mend(home: Home, evidence: Evidence, steps: Steps, *, clock: Clock) -> None:
    record = evidence.record
    with closing(open_storage(home)) as storage, driving(storage, record, home.sweep(record.id), clock=clock):
        _mend_ledger(storage.open(record.name), steps)
        for path in steps.remove:
            _remove(path)
        if steps.delete_runs or steps.parents:
            uri = home.tracking_of(record.tracking_uri)
            correct_runs(uri, delete=[run.run_id for run in steps.delete_runs], parents=steps.parents)


def _mend_ledger(ledger: Ledger, steps: Steps) -> None:
    for number in steps.endings:
        tell_stored_ending(ledger, number)
    for number in steps.pauses:
        mark_paused(ledger, number)
    if steps.reopen:
        reason = "trials were open although the sweep was marked as complete"
        ledger.update_sweep(replace(ledger.sweep, state=SweepState.PAUSED, reason=reason))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
