"""Means over seeds and their intervals, which cover the seeds and, with resamples, the measured units too.

The variance of a mean over n seeds on one set of units has three parts: the seeds', the units', and what a seed does
to single units. The variance among seeds, divided by n, holds the first and the third. What the units add to it is
what all seeds share: the mean covariance of the resamples of different seeds.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from scipy.special import stdtrit

from orchestrator.analysis.confirming.cells import EQUAL, Array

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its interval; the ends are NaN where there were too few values for one."""

    mean: float
    low: float
    high: float

    def within(self, bounds: tuple[float, float]) -> "Interval":
        """Cut to the values that the metric can have."""
        least, most = bounds
        return Interval(self.mean, max(self.low, least), min(self.high, most))

    def __str__(self) -> str:
        return f"{self.mean:.4g} ({self.low:.4g} to {self.high:.4g})"


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A standard error and its degrees of freedom."""

    error: float
    df: float

    @classmethod
    def of(cls, seed_variance: float, seed_df: float, unit_variance: float, unit_df: float) -> "Uncertainty":
        """Two independent variances together.

        Source: Satterthwaite 1946, Biometrics Bulletin 2, 110-114.
        """
        total = seed_variance + unit_variance
        if total <= 0:
            return cls(0.0, seed_df)
        return cls(sqrt(total), total**2 / (seed_variance**2 / seed_df + unit_variance**2 / unit_df))


def mean_interval(values: Array, resamples: Array | None) -> Interval:
    """The mean of a candidate over its seeds, with its 95 % interval.

    Args:
        values: shape [S], NaN for seeds without a value.
        resamples: shape [S, B], or None: then the interval covers the seeds alone.
    """
    here = np.isfinite(values)
    n = int(here.sum())
    if n == 0:
        return Interval(nan, nan, nan)
    mean = float(values[here].mean())
    if n == 1:
        return Interval(mean, nan, nan)
    units, unit_df = (0.0, inf) if resamples is None else shared_unit_variance(resamples[here])
    uncertainty = Uncertainty.of(float(values[here].var(ddof=1)) / n, n - 1, units, unit_df)
    reach = float(stdtrit(uncertainty.df, (1 + LEVEL) / 2)) * uncertainty.error
    reach = reach if reach > EQUAL * abs(mean) else 0.0
    return Interval(mean, mean - reach, mean + reach)


def shared_unit_variance(resamples: Array) -> tuple[float, float]:
    """The variance of a mean over seeds that comes from the drawn units alone, and its degrees of freedom.

    It is the mean covariance between the resamples of different seeds; not negative.

    Args:
        resamples: shape [S, B], S >= 2.
    """
    n, drawn = resamples.shape
    of_mean = float(resamples.mean(axis=0).var(ddof=1))
    of_each = float(resamples.var(axis=1, ddof=1).mean())
    return max(0.0, (n * of_mean - of_each) / (n - 1)), drawn - 1
