"""Successive halving in numbers: at which epochs, and how many epochs a trial is expected to run."""

from orchestrator.spec.model import AshaPruner, HyperbandPruner, PatientPruner, Pruner

Halving = AshaPruner | HyperbandPruner


def halving_of(pruner: Pruner) -> Halving | None:
    """The successive halving in a pruner; None if there is none."""
    inner = pruner.pruner if isinstance(pruner, PatientPruner) else pruner
    return inner if isinstance(inner, Halving) else None


def rung_epochs(halving: Halving, epochs: int) -> tuple[int, ...]:
    """The epochs at which a trial can be pruned. The last epoch is compared, and not pruned."""
    rungs, rung = [], halving.min_epochs
    while rung < epochs:
        rungs.append(rung)
        rung *= halving.reduction_factor
    return tuple(rungs)


def least_epochs(pruner: Pruner, epochs: int) -> float:
    """Epochs that a trial runs at least, on the average: each rung lets the best 1/reduction_factor go on.

    A pruner that is no successive halving may cut all trials but one at its grace.
    """
    halving = halving_of(pruner)
    if halving is None:
        return float(epochs) if pruner.type == "none" else float(min(epochs, getattr(pruner, "min_epochs", 1) or 1))
    total, share, done = 0.0, 1.0, 0
    for rung in rung_epochs(halving, epochs):
        total += share * (rung - done)
        done, share = rung, share / halving.reduction_factor
    return total + share * (epochs - done)
