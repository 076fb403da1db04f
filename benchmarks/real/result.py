"""One figure measured on real data, with the interval that it can be trusted in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table that `make real` prints.

    Attributes:
        what: the metric, the data and the setting.
        value: mean over seeds or splits.
        low, high: 95 % confidence interval of the mean.
        num: how many seeds or splits.
        target: what was aimed at, in words.
        baseline: what the figure is to be read beside, in words.
    """

    what: str
    value: float
    low: float
    high: float
    num: int
    target: str
    baseline: str
