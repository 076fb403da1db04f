"""Whether a sweep's pruner was right: a sample of the trials that it stopped is trained to the end, in this process.

The sweep itself is left as it is: nothing of the audit enters its ledger.
"""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from orchestrator.analysis.pruning_audit import FullCurve, PruningAudit, audit_pruning
from orchestrator.errors import UsageError
from orchestrator.execution.assignment import Assignment, Measured
from orchestrator.execution.attempt import Attempt
from orchestrator.spec import resolve
from orchestrator.spec.model import SweepSpec
from orchestrator.study import Ledger
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.trial import Bucket, Cause, TrialRecord


def audit_sweep(home: Home, reference: str, *, sample: int, seed: int, directory: Path) -> PruningAudit:
    """Finish `sample` pruned trials, drawn by `seed`, with the configuration and the seed that they had.

    Args:
        directory: where the sweep was started: a user's own module and relative paths are found there.

    Raises:
        SweepNotFoundError
        UsageError: no trial of the sweep was pruned.
    """
    with closing(open_storage(home)) as storage:
        ledger = storage.open(reference)
        return audit_pruning(
            [finished_curves(ledger, sample=sample, seed=seed, directory=directory)],
            direction=ledger.spec.objective.direction,
        )


def finished_curves(ledger: Ledger, *, sample: int, seed: int, directory: Path) -> list[FullCurve]:
    """The curves of the trials that ran in full and, finished, of a sample of those that were pruned.

    Raises:
        UsageError: no trial was pruned.
    """
    records = ledger.records()
    pruned = [record for record in records if record.ending is not None and record.ending.cause is Cause.PRUNED]
    if not pruned:
        raise UsageError(f"the pruner of {ledger.name} stopped no trial; there is nothing to finish")
    drawn = np.random.default_rng(seed).permutation(len(pruned))[:sample]
    full = [_curve(record, ledger.spec) for record in records if record.bucket is Bucket.COMPLETE]
    return [*full, *(_finished(pruned[place], ledger, directory) for place in sorted(drawn))]


def _finished(record: TrialRecord, ledger: Ledger, directory: Path) -> FullCurve:
    with tempfile.TemporaryDirectory() as folder:
        assignment = Assignment(
            number=record.number,
            attempt=1,
            trainable=ledger.spec.trainable,
            config=resolve(ledger.spec, record.params),
            objective=ledger.spec.objective,
            seeds=record.seeds,
            checkpoints=Path(folder),
            directory=directory,
            threads=max(1, int(ledger.spec.resources.cpu)),
        )
        values = _trained(assignment)
    return FullCurve(record.number, values, stopped_at=record.epochs)


def _trained(assignment: Assignment) -> Mapping[int, float]:
    """The objective by epoch, as far as the trainable goes."""
    attempt = Attempt(assignment)
    values: dict[int, float] = {}
    try:
        while isinstance(outcome := attempt.advance(), Measured):
            if outcome.step > 0:
                values[outcome.step] = outcome.metrics[assignment.objective.metric]
    finally:
        attempt.close()
    return values


def _curve(record: TrialRecord, spec: SweepSpec) -> FullCurve:
    metric = spec.objective.metric
    return FullCurve(record.number, {m.step: m.metrics[metric] for m in record.measurements if m.step > 0})
