"""Whether the pruner ends a trial at a measurement, and why. Called by `Ledger.report`; reads stored values alone."""

from dataclasses import dataclass, replace

import optuna
from optuna.study import Study
from optuna.trial import Trial

from orchestrator.spec.model import MedianPruner, NoPruner, SweepSpec
from orchestrator.study.pruning import Decision, explain_median, explain_rung, may_decide, rungs_done
from orchestrator.trial import TrialRecord


@dataclass(slots=True)
class Judged:
    """A trial in work, and how many rungs have been decided of it."""

    trial: Trial
    rungs: int


def rungs_decided(known: TrialRecord) -> int:
    """How many rungs the stored decisions of a trial cover."""
    rungs = [decision["rung"] for decision in known.decisions]
    return max((1 + rung for rung in rungs if isinstance(rung, int)), default=0)


def judge(study: Study, judged: Judged, spec: SweepSpec, *, step: int, last: bool) -> Decision | None:
    """The pruner's decision after a trial has reported `step`; None when there was nothing to decide.

    Optuna notes each rung that a trial reaches; one without a decision of ours is decided here. The note alone decides
    nothing: an earlier driver may have died right after it.
    """
    pruner, direction = spec.pruner, spec.objective.direction
    if isinstance(pruner, NoPruner) or not may_decide(pruner, step=step, rungs=judged.rungs):
        return None
    pruned = judged.trial.should_prune() and not last
    if isinstance(pruner, MedianPruner) and not pruned:
        return None
    frozen = study._storage.get_trial(judged.trial._trial_id)
    if isinstance(pruner, MedianPruner):
        return explain_median(frozen, study.get_trials(deepcopy=False), direction=direction)
    rungs_before, judged.rungs = judged.rungs, rungs_done(frozen)
    if judged.rungs == rungs_before:
        return None
    rivals = optuna.pruners._filter_study(study, frozen).get_trials(deepcopy=False)
    decision = explain_rung(frozen, rivals, factor=pruner.reduction_factor, direction=direction)
    return replace(decision, pruned=False) if last else decision
