"""From a pruner spec to an Optuna pruner, and at which epochs it can have anything to say. Called by the judge.

Patience is counted by the judge itself; the pruner that is built here is then the one that waits for it.
"""

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, SuccessiveHalvingPruner
from optuna.pruners import MedianPruner as OptunaMedianPruner
from optuna.pruners import PercentilePruner as OptunaPercentilePruner
from optuna.pruners import WilcoxonPruner as OptunaWilcoxonPruner

from orchestrator.errors import UsageError
from orchestrator.spec.model import (
    AshaPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    WilcoxonPruner,
)
from orchestrator.spec.model import HyperbandPruner as HyperbandSpec


def build_pruner(pruner: Pruner, *, max_epochs: int | None) -> BasePruner:
    """The pruner that reads the judge's mirror.

    Raises:
        UsageError: hyperband does not know the longest trial.
    """
    match pruner:
        case AshaPruner(min_epochs=min_epochs, reduction_factor=factor):
            return SuccessiveHalvingPruner(min_resource=min_epochs, reduction_factor=factor)
        case HyperbandSpec(min_epochs=min_epochs, reduction_factor=factor):
            longest = pruner.max_epochs or max_epochs
            if longest is None:
                raise UsageError("pruner hyperband: set max_epochs; the config has no field `epochs` to take it from")
            return HyperbandPruner(min_resource=min_epochs, max_resource=longest, reduction_factor=factor)
        case MedianPruner(startup_trials=startup_trials, min_epochs=min_epochs):
            return OptunaMedianPruner(n_startup_trials=startup_trials, n_warmup_steps=min_epochs)
        case PercentilePruner(keep_percent=percent, startup_trials=startup_trials, min_epochs=min_epochs):
            return OptunaPercentilePruner(percent, n_startup_trials=startup_trials, n_warmup_steps=min_epochs)
        case WilcoxonPruner(p_threshold=p_threshold):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return OptunaWilcoxonPruner(p_threshold=p_threshold)
        case PatientPruner(pruner=nested):
            return build_pruner(nested, max_epochs=max_epochs)
        case NoPruner():
            return NopPruner()


def may_decide(pruner: Pruner, *, step: int, rungs: int) -> bool:
    """Whether the pruner can have anything to say at a step, for a trial that has passed `rungs` rungs.

    Successive halving speaks only where a rung is reached; with patience, also between rungs about the last one.
    """
    match pruner:
        case NoPruner():
            return False
        case MedianPruner() | PercentilePruner() | WilcoxonPruner():
            return step >= pruner.min_epochs
        case AshaPruner() | HyperbandSpec():
            rung_step: int = pruner.min_epochs * pruner.reduction_factor**rungs
            return step >= rung_step
        case PatientPruner(patience=patience, pruner=NoPruner()):
            return step > patience
        case PatientPruner(pruner=nested):
            return rungs > 0 or may_decide(nested, step=step, rungs=rungs)
