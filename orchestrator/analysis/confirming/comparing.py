"""Each finalist against the default, and the best finalist against each other one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan

from scipy.special import stdtrit

from orchestrator.analysis.confirming.cells import Cells
from orchestrator.analysis.confirming.differences import Gap, gap, pooled_noise
from orchestrator.analysis.confirming.intervals import LEVEL
from orchestrator.spec.model import Direction


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one candidate is than another; positive is better, whichever way the metric goes.

    Attributes:
        low, high: the 95 % interval.
        at_least: the 95 % bound on the one side that a verdict asks about.
    """

    candidate: str
    against: str
    mean: float
    low: float
    high: float
    at_least: float

    @property
    def separated(self) -> bool:
        """Whether the candidate is shown to be better."""
        return self.at_least > 0


@dataclass(frozen=True, slots=True)
class Comparing:
    """The finalists' values on one split."""

    cells: Cells
    direction: Direction

    def against_default(self, default: str, others: Sequence[str], *, family: int) -> tuple[Difference, ...]:
        """Bounds that hold for all comparisons together (Bonferroni); none for one without two seeds in common.

        Args:
            family: how many candidates there were beside the default at the start. Those that were ruled out count:
                dropping them may not make the bounds tighter.
        """
        miss = (1 - LEVEL) / family
        made = [self._difference(name, default, miss / 2, one_sided=miss) for name in others]
        return tuple(difference for difference in made if not isnan(difference.mean))

    def of_best(self, best: str, others: Sequence[str]) -> tuple[Difference, ...]:
        """Bounds for each comparison alone, two-sided ones; NaN without two seeds in common.

        They are enough to say that the best-looking one is the best: the error is largest when two are equal and all
        others far away, and then it is that of one two-sided test.

        Source: Gutmann and Maymin 1987, Ann. Statist. 15, 456-461; Hung and Fithian 2019, Ann. Statist. 47, 758-782.
        """
        miss = (1 - LEVEL) / 2
        return tuple(self._difference(best, name, miss, one_sided=miss) for name in others)

    def _difference(self, candidate: str, against: str, tail: float, *, one_sided: float) -> Difference:
        found = gap(self.cells, candidate, against, noise=pooled_noise(self.cells))
        if found is None:
            return Difference(candidate, against, nan, nan, nan, nan)
        mean = found.mean if self.direction is Direction.MAXIMIZE else -found.mean
        reach = _reach(found, tail)
        return Difference(candidate, against, mean, mean - reach, mean + reach, mean - _reach(found, one_sided))


def _reach(found: Gap, tail: float) -> float:
    return float(stdtrit(found.df, 1 - tail)) * found.error
