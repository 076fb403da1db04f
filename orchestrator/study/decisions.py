"""One decision of a pruner with the numbers behind it, and how they follow from what Optuna's pruner saw.

Called by the judge. The rules are Optuna's, spelled out so that a person can check each cut.
"""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from orchestrator.spec.model import Direction
from orchestrator.trial import JsonValue

_ALWAYS = ("step", "rung", "value", "cutoff", "rank", "num_compared", "pruned")


class Spared(StrEnum):
    """Why a trial that the comparison would end goes on."""

    STANDARD_ERROR = "standard_error"
    IMPROVING = "improving"


@dataclass(frozen=True, slots=True)
class Decision:
    """One look at a trial.

    Attributes:
        step: the epoch at which it was made.
        rung: the rung of successive halving, from 0; None for other pruners.
        value: the trial's value that was compared; for the signed-rank test, its mean over the compared epochs.
        cutoff: the worst value that goes on, the percentile, the best trial's mean, the floor; None when there was
            nothing to compare with.
        rank: 1 is the best of `num_compared`, the trial included; None where nothing was ranked.
        pruned: whether the trial ended here.
        p_value: of the signed-rank test.
        floor: the metric whose floor was missed.
        epochs_without_improvement: of the patient pruner.
        standard_error: of the trial's own value, where its seeds give one.
        spared: why it was not pruned although the comparison says so.
    """

    step: int
    rung: int | None
    value: float
    cutoff: float | None
    rank: int | None
    num_compared: int
    pruned: bool
    p_value: float | None = None
    floor: str | None = None
    epochs_without_improvement: int | None = None
    standard_error: float | None = None
    spared: Spared | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values for the ledger; what does not apply is left out."""
        return {name: value for name, value in asdict(self).items() if name in _ALWAYS or value is not None}


def explain_percentile(
    trial: FrozenTrial, trials: Sequence[FrozenTrial], *, keep_percent: float, direction: Direction
) -> Decision:
    """The decision that ended a trial by a percentile of the complete ones at its last step; 50 is the median."""
    step = trial.last_step or 0
    others = [
        t.intermediate_values[step] for t in trials if t.state is TrialState.COMPLETE and step in t.intermediate_values
    ]
    value = _best_first(list(trial.intermediate_values.values()), direction)[0]
    ranked = _best_first([*others, value], direction)
    percent = 100 - keep_percent if direction is Direction.MAXIMIZE else keep_percent
    cutoff = float(np.percentile(others, percent)) if others else None
    return Decision(step, None, value, cutoff, 1 + ranked.index(value), len(ranked), pruned=True)


def explain_wilcoxon(trial: FrozenTrial, best: FrozenTrial, *, direction: Direction) -> Decision:
    """The decision that ended a trial by a one-sided signed-rank test against the best one, epoch by epoch."""
    from scipy.stats import wilcoxon  # takes half a second to import, and few sweeps ask for it

    steps = sorted(trial.intermediate_values.keys() & best.intermediate_values.keys())
    mine = [trial.intermediate_values[step] for step in steps]
    theirs = [best.intermediate_values[step] for step in steps]
    test = wilcoxon(
        np.subtract(mine, theirs),
        alternative="less" if direction is Direction.MAXIMIZE else "greater",
        zero_method="zsplit",
    )
    value, cutoff = statistics.fmean(mine), statistics.fmean(theirs)
    return Decision(trial.last_step or 0, None, value, cutoff, 2, 2, pruned=True, p_value=float(test.pvalue))


def _best_first(values: list[float], direction: Direction) -> list[float]:
    return sorted(values, reverse=direction is Direction.MAXIMIZE)
