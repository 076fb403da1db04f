"""From a pruner spec to an Optuna pruner, and the reason for each of its decisions: rung, value, cutoff, rank."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, SuccessiveHalvingPruner
from optuna.pruners import MedianPruner as OptunaMedianPruner
from optuna.trial import FrozenTrial, TrialState

from orchestrator.errors import UsageError
from orchestrator.spec.model import AshaPruner, Direction, MedianPruner, NoPruner, Pruner
from orchestrator.spec.model import HyperbandPruner as HyperbandSpec

RUNG = "completed_rung_{}"
"""The system attribute in which Optuna's successive halving keeps the value that a trial had at a rung."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One comparison of a trial with the others.

    Attributes:
        step: the epoch at which it was made.
        rung: the rung of successive halving, from 0; None for the median.
        value: the trial's value that was compared.
        cutoff: the worst value that goes on, or the median; None when there was nothing to compare with.
        rank: 1 is the best of `num_compared`, the trial included.
        pruned: whether the trial ended here.
    """

    step: int
    rung: int | None
    value: float
    cutoff: float | None
    rank: int
    num_compared: int
    pruned: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values for the ledger."""
        return asdict(self)


def build_pruner(pruner: Pruner, *, max_epochs: int | None) -> BasePruner:
    """The pruner that reads the ledger.

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
        case _:
            return NopPruner()


def may_decide(pruner: Pruner, *, step: int, rungs: int) -> bool:
    """Whether the pruner can have anything to say at a step, for a trial that has passed `rungs` rungs.

    Asking it costs a read of every trial, and successive halving speaks only where a rung is reached.
    """
    match pruner:
        case NoPruner():
            return False
        case MedianPruner(min_epochs=min_epochs):
            return step >= min_epochs
        case AshaPruner() | HyperbandSpec():
            rung_step: int = pruner.min_epochs * pruner.reduction_factor**rungs
            return step >= rung_step


def rungs_done(trial: FrozenTrial) -> int:
    """How many rungs of successive halving the trial has reached."""
    rung = 0
    while RUNG.format(rung) in trial.system_attrs:
        rung += 1
    return rung


def explain_rung(trial: FrozenTrial, trials: Sequence[FrozenTrial], *, factor: int, direction: Direction) -> Decision:
    """The decision at the highest rung that the trial has reached, by the rule of Optuna's successive halving.

    `trials` are those it competes with at that rung: all of the sweep, or of its hyperband bracket.
    """
    rung = rungs_done(trial) - 1
    key = RUNG.format(rung)
    others = [t.system_attrs[key] for t in trials if key in t.system_attrs and t.number != trial.number]
    value = float(trial.system_attrs[key])
    ranked = _best_first([*others, value], direction)
    promotable = max(len(ranked) // factor - 1, 0)
    step = trial.last_step
    return Decision(
        step=0 if step is None else step,
        rung=rung,
        value=value,
        cutoff=ranked[promotable],
        rank=1 + ranked.index(value),
        num_compared=len(ranked),
        pruned=ranked.index(value) > promotable,
    )


def explain_median(trial: FrozenTrial, trials: Sequence[FrozenTrial], *, direction: Direction) -> Decision:
    """The decision that ended a trial by the median of the complete ones at its last step."""
    step = trial.last_step or 0
    others = [
        t.intermediate_values[step] for t in trials if t.state is TrialState.COMPLETE and step in t.intermediate_values
    ]
    value = _best_first(list(trial.intermediate_values.values()), direction)[0]
    ranked = _best_first([*others, value], direction)
    cutoff = statistics.median(others) if others else None
    return Decision(step, None, value, cutoff, 1 + ranked.index(value), len(ranked), pruned=True)


def _best_first(values: list[float], direction: Direction) -> list[float]:
    return sorted(values, reverse=direction is Direction.MAXIMIZE)
