"""When a trial can first be pruned. Rules of both kinds ask: about rungs, warm-ups and peaks of the learning rate."""

from orchestrator.spec.model import (
    AshaPruner,
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    WilcoxonPruner,
)
from orchestrator.spec.nodes import Path


def deciding(pruner: Pruner) -> tuple[Pruner, Path]:
    """The pruner that decides, and where it stands: that inside of a patient one, if there is one."""
    if isinstance(pruner, PatientPruner) and not isinstance(pruner.pruner, NoPruner):
        return pruner.pruner, ("pruner", "pruner")
    return pruner, ("pruner",)


def grace_of(pruner: Pruner) -> int | None:
    """The first epoch at which a trial can be pruned; None if none ever is. Patience and the pruner must agree."""
    patience = pruner.patience + 1 if isinstance(pruner, PatientPruner) else 1
    match deciding(pruner)[0]:
        case AshaPruner() | HyperbandPruner() | MedianPruner() | PercentilePruner() | WilcoxonPruner() as inner:
            return max(patience, inner.min_epochs)
        case PatientPruner():
            return patience
        case _:
            return None
