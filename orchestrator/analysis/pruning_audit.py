"""What a pruner cost and what it saved, judged by curves that were finished all the same. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atanh, inf, isfinite, sqrt, tanh

import numpy as np
from scipy.stats import binomtest, spearmanr

from orchestrator.spec.model import Direction

Z = 1.959964
"""Of a two-sided 95 % interval."""
MIN_TRIALS = 5
"""Fewer trials have no rank correlation worth printing."""


@dataclass(frozen=True, slots=True)
class FullCurve:
    """One trial with all of its epochs.

    Attributes:
        values: the objective by epoch, the untrained model left out; NaN where it was not finite.
        stopped_at: the epoch after which the pruner ended it; None for one that it let through.
    """

    number: int
    values: Mapping[int, float]
    stopped_at: int | None = None

    @property
    def epochs(self) -> int:
        """The last epoch."""
        return max(self.values)

    def best(self, direction: Direction, *, until: int | None = None) -> float:
        """The best value up to an epoch, or of all; the worst there is where none is finite."""
        seen = [v for epoch, v in self.values.items() if isfinite(v) and (until is None or epoch <= until)]
        if direction is Direction.MAXIMIZE:
            return max(seen, default=-inf)
        return min(seen, default=inf)


@dataclass(frozen=True, slots=True)
class Share:
    """How often, with the exact 95 % interval (Clopper and Pearson)."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """From 0 to 1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """How well the best value up to an epoch orders trials as their final values do (Spearman), with its interval."""

    epoch: int
    num_trials: int
    rho: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PruningAudit:
    """The answer.

    Attributes:
        killed: pruned trials that would have ended better than the best trial of their sweep.
        sweeps_hurt: sweeps that lost their best trial so.
        loss: mean over sweeps of what the best value would have gained without pruning, in the metric's unit.
        epochs_saved: part of the epochs of these trials that pruning spared.
        correlations: by epoch at which a trial was stopped.
    """

    killed: Share
    sweeps_hurt: Share
    loss: float
    epochs_saved: float
    correlations: tuple[RankCorrelation, ...]


def audit_pruning(sweeps: Sequence[Sequence[FullCurve]], *, direction: Direction) -> PruningAudit:
    """Judge one pruner by sweeps that it ran and whose pruned trials (or a sample of them) were finished.

    Args:
        sweeps: of each sweep the trials that the pruner let through, and finished ones that it stopped.
    """
    killed = [_killed(curves, direction) for curves in sweeps]
    num_pruned = sum(curve.stopped_at is not None for curves in sweeps for curve in curves)
    every = [curve for curves in sweeps for curve in curves]
    all_epochs = sum(curve.epochs for curve in every)
    saved = sum(curve.epochs - curve.stopped_at for curve in every if curve.stopped_at is not None)
    distinct = list({tuple(curve.values.items()): curve for curve in every}.values())
    stops = sorted({curve.stopped_at for curve in every if curve.stopped_at is not None})
    return PruningAudit(
        killed=share(sum(map(len, killed)), num_pruned),
        sweeps_hurt=share(sum(bool(lost) for lost in killed), len(sweeps)),
        loss=float(np.mean([max(lost, default=0.0) for lost in killed])) if killed else 0.0,
        epochs_saved=saved / all_epochs if all_epochs else 0.0,
        correlations=tuple(found for epoch in stops if (found := _correlation(distinct, epoch, direction))),
    )


def share(hits: int, of: int) -> Share:
    """Hits of so many tries."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    ends = binomtest(hits, of).proportion_ci(method="exact")
    return Share(hits, of, float(ends.low), float(ends.high))


def _killed(curves: Sequence[FullCurve], direction: Direction) -> list[float]:
    """By how much each pruned trial would have beaten the sweep's best, where it would have.

    The sweep's best is what the sweep saw: pruned trials count with what they had when they were stopped.
    """
    sign = 1 if direction is Direction.MAXIMIZE else -1
    seen = max((sign * curve.best(direction, until=curve.stopped_at) for curve in curves), default=-inf)
    gains = [sign * curve.best(direction) - seen for curve in curves if curve.stopped_at is not None]
    return [gain for gain in gains if gain > 0]


def _correlation(curves: Sequence[FullCurve], epoch: int, direction: Direction) -> RankCorrelation | None:
    """Fisher's interval, with the variance for ranks of Bonett and Wright 2000, Psychometrika 65, 23-28."""
    early = [curve.best(direction, until=epoch) for curve in curves]
    final = [curve.best(direction) for curve in curves]
    if len(curves) < MIN_TRIALS or len(set(early)) < 2 or len(set(final)) < 2:
        return None
    rho = float(spearmanr(early, final).statistic)
    near = min(max(rho, -1 + 1e-9), 1 - 1e-9)
    reach = Z * sqrt((1 + near**2 / 2) / (len(curves) - 3))
    return RankCorrelation(epoch, len(curves), rho, tanh(atanh(near) - reach), tanh(atanh(near) + reach))
