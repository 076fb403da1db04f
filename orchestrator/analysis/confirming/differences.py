"""Paired differences between candidates: by seed, and by unit where there are resamples.

Each pair has its own variance, because one configuration may be far noisier than another: with a variance that is
pooled over all, a noisy default lets too many others look better.
"""

from dataclasses import dataclass
from math import inf

import numpy as np

from orchestrator.analysis.confirming.cells import EQUAL, Cells
from orchestrator.analysis.confirming.intervals import Uncertainty, shared_unit_variance

LEAST = 0.25
"""A pair's variance counts as at least this part of the pooled one: few seeds of a coarse metric may agree by luck."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What is left of the values when candidates and seeds are taken out: the variance of one cell."""

    variance: float
    df: int


@dataclass(frozen=True, slots=True)
class Gap:
    """How much higher one candidate's values are than another's on the seeds that both have."""

    mean: float
    error: float
    df: float


def pooled_noise(cells: Cells) -> Noise:
    """The residual variance of candidate + seed, over all cells with a value; 0 degrees of freedom where none is left.

    Failed seeds leave holes; least squares does without them.
    """
    table = cells.table
    num_candidates, num_seeds = table.shape
    if np.isfinite(table).all():
        left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        df = (num_candidates - 1) * (num_seeds - 1)
        return Noise(float((left**2).sum() / df) if df else 0.0, df)
    rows, columns = np.nonzero(np.isfinite(table))
    candidates, seeds = np.eye(num_candidates)[rows], np.eye(num_seeds)[columns]
    design, values = np.hstack([candidates, seeds]), table[rows, columns]
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    df = rows.size - int(rank)
    return Noise(float(((values - design @ fitted) ** 2).sum() / df) if df else 0.0, df)


def gap(cells: Cells, a: str, b: str, *, noise: Noise) -> Gap | None:
    """`a` minus `b`; None without two common seeds."""
    first, second = cells.names.index(a), cells.names.index(b)
    paired = cells.table[first] - cells.table[second]
    here = np.isfinite(paired)
    n = int(here.sum())
    if n < 2:
        return None
    units, unit_df = 0.0, inf
    if cells.resamples is not None:
        units, unit_df = shared_unit_variance(cells.resamples[first, here] - cells.resamples[second, here])
    seeds = max(float(paired[here].var(ddof=1)), 2 * LEAST * noise.variance)
    together = Uncertainty.of(seeds / n, n - 1, units, unit_df)
    return Gap(float(paired[here].mean()), max(together.error, EQUAL * cells.scale), together.df)
