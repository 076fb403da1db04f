"""Which region of the search space produces which illness: pure functions over trials' parameters.

Called by `sweeps` with the trials that have a finding and those that have not; knows no finding by name. The exact test
is Fisher's, written out because importing scipy takes longer than `orch show` does.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.trial import Value

MAX_CUTS = 50
"""A parameter's range is cut at no more places than this: each look has to be paid for."""
SURE = 0.05
"""A corrected p-value up to this is called sure."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the space: one value of a parameter (`choice`), or its values from `low` on or up to `high`."""

    parameter: str
    choice: Value | None = None
    low: float | None = None
    high: float | None = None

    def holds(self, value: Value) -> bool:
        """Whether a value of the parameter lies in it."""
        if self.low is not None:
            return float(value) >= self.low
        if self.high is not None:
            return float(value) <= self.high
        return value == self.choice

    def __str__(self) -> str:
        if self.low is not None:
            return f"{self.parameter} >= {self.low:.3g}"
        if self.high is not None:
            return f"{self.parameter} <= {self.high:.3g}"
        return f"{self.parameter} = {self.choice}"


@dataclass(frozen=True, slots=True)
class Excess:
    """A region in which trials fall ill more often than elsewhere.

    Attributes:
        num_ill, num_inside: ill trials and all trials in the region.
        num_ill_outside, num_outside: the same among the other trials that have the parameter.
        p_value: Fisher's exact test, one-sided, times the number of regions that were looked at (Bonferroni).
        num_looks: that number.
    """

    region: Region
    num_ill: int
    num_inside: int
    num_ill_outside: int
    num_outside: int
    p_value: float
    num_looks: int = 1

    @property
    def is_sure(self) -> bool:
        """Whether chance is ruled out, all looks considered."""
        return self.p_value <= SURE


def strongest_excess(
    ill: Collection[int], params: Mapping[int, Mapping[str, Value]], *, num_questions: int = 1
) -> Excess | None:
    """The region in which the trials `ill` are most over-represented.

    Args:
        ill: numbers of the trials that have the finding.
        params: the parameters of all trials that were examined, ill or not, by number.
        num_questions: how many findings are asked about at once; the p-value is corrected for these too.

    Returns: None when no region has more of them than the rest.
    """
    names = dict.fromkeys(name for values in params.values() for name in values)
    having = {name: {number: trial[name] for number, trial in params.items() if name in trial} for name in names}
    found = [_excess(region, ill, values) for name, values in having.items() for region in _regions(name, values)]
    strongest = min(found, key=lambda excess: excess.p_value, default=None)
    if strongest is None or strongest.p_value == 1.0:
        return None
    looks = len(found) * num_questions
    return replace(strongest, p_value=min(1.0, strongest.p_value * looks), num_looks=looks)


def chance_of_more(num_ill: int, num_inside: int, num_ill_outside: int, num_outside: int) -> float:
    """Fisher's exact test: how often chance alone would put at least `num_ill` of the ill ones inside.

    It is 1 where that is no larger a share than outside, whatever the test says.
    """
    if num_ill * num_outside <= num_ill_outside * num_inside:
        return 1.0
    all_ill = num_ill + num_ill_outside
    ways = math.comb(num_inside, num_ill) * math.comb(num_outside, num_ill_outside)
    term, total = ways / math.comb(num_inside + num_outside, all_ill), 0.0
    for inside in range(num_ill, min(num_inside, all_ill) + 1):
        total += term
        term *= (num_inside - inside) * (all_ill - inside)
        term /= (inside + 1) * (num_outside - all_ill + inside + 1)
    return min(1.0, total)


def _excess(region: Region, ill: Collection[int], values: Mapping[int, Value]) -> Excess:
    """Among the trials that have the parameter: `values` is theirs, by number."""
    inside = [number for number, value in values.items() if region.holds(value)]
    num_ill = sum(number in ill for number in inside)
    counts = (num_ill, len(inside), sum(number in ill for number in values) - num_ill, len(values) - len(inside))
    return Excess(region, *counts, p_value=chance_of_more(*counts))


def _regions(name: str, values: Mapping[int, Value]) -> Iterator[Region]:
    """Each choice of a parameter, or each range that has one end in the middle."""
    numbers = [float(v) for v in values.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        choices = dict.fromkeys(values.values())
        yield from (Region(name, choice=choice) for choice in choices if len(choices) > 1)
        return
    for below, above in _cuts(sorted(numbers)):
        yield Region(name, high=below)
        yield Region(name, low=above)


def _cuts(values: Sequence[float]) -> list[tuple[float, float]]:
    """Neighbouring values to cut between, evenly spread over the trials."""
    places = [i for i in range(1, len(values)) if values[i - 1] < values[i]]
    if len(places) > MAX_CUTS:
        places = [places[round(i * (len(places) - 1) / (MAX_CUTS - 1))] for i in range(MAX_CUTS)]
    return [(values[i - 1], values[i]) for i in places]
