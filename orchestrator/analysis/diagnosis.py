"""Which region of the search space produces which illness: pure functions over trials' parameters.

Called by `sweeps` with the trials that have a finding and those that have not; knows no finding by name. The exact test
is Fisher's, written out because importing scipy takes longer than `orch show` does.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.trial import Value

MAX_CUTS = 50
"""A parameter's range is cut at no more places than this."""
NUM_PERMUTATIONS = 499
SURE = 0.05
"""A corrected p-value up to this is called sure."""
PLAIN = 0.001
"""Up to this, the p-value times the number of regions is good enough, and nothing is permuted."""

NEGLIGIBLE = 1e-15
"""Share of a sum below which the rest of its falling terms does not matter."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


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
        p_value: how often chance alone would show as strong an excess in any of the regions looked at.
        num_looks: how many these are.
    """

    region: Region
    num_ill: int
    num_inside: int
    num_ill_outside: int
    num_outside: int
    p_value: float
    num_looks: int

    @property
    def is_sure(self) -> bool:
        """Whether chance is ruled out, all looks considered."""
        return self.p_value <= SURE


def strongest_excess(ill: Collection[int], params: Mapping[int, Mapping[str, Value]], *, seed: int) -> Excess | None:
    """The region in which the trials `ill` are most over-represented.

    Fisher's exact test chooses it. The p-value is corrected for the number of regions by permuting which trials are
    ill (Westfall and Young's smallest p-value): neighbouring regions share most of their trials, and a factor for
    each of them would be far too strict.

    Args:
        ill: numbers of the trials that have the finding.
        params: the parameters of all trials that were examined, ill or not, by number.
        seed: of the permutations.

    Returns: None when no region has more of them than the rest.
    """
    numbers, names = list(params), dict.fromkeys(name for values in params.values() for name in values)
    looks = [look for name in names for look in _looks(name, [params[number].get(name) for number in numbers])]
    ill_N = np.array([number in ill for number in numbers])
    p_values = [float(look.p_values(ill_N[None].astype(float))[0]) for look in looks]
    smallest = min(p_values, default=1.0)
    if smallest == 1.0:
        return None
    strongest = looks[p_values.index(smallest)]
    inside_N, outside_N = strongest.inside_N, strongest.outside_N
    return Excess(
        strongest.region,
        num_ill=int((ill_N & inside_N).sum()),
        num_inside=int(inside_N.sum()),
        num_ill_outside=int((ill_N & outside_N).sum()),
        num_outside=int(outside_N.sum()),
        p_value=_corrected(smallest, looks, ill_N, seed=seed),
        num_looks=len(looks),
    )


def chance_of_more(num_ill: int, num_inside: int, num_ill_outside: int, num_outside: int) -> float:
    """Fisher's exact test: how often chance alone would put at least `num_ill` of the ill ones inside.

    It is 1 where that is no larger a share than outside, whatever the test says.
    """
    if num_ill * num_outside <= num_ill_outside * num_inside:
        return 1.0
    all_ill = num_ill + num_ill_outside
    ways = _log_ways(num_inside, num_ill) + _log_ways(num_outside, num_ill_outside)
    term, total = math.exp(ways - _log_ways(num_inside + num_outside, all_ill)), 0.0
    for inside in range(num_ill, min(num_inside, all_ill) + 1):
        total += term
        term *= (num_inside - inside) * (all_ill - inside)
        term /= (inside + 1) * (num_outside - all_ill + inside + 1)
        if term < total * NEGLIGIBLE:
            break
    return min(1.0, total)


def _log_ways(num: int, chosen: int) -> float:
    """Logarithm of the number of ways to choose `chosen` of `num`."""
    return math.lgamma(num + 1) - math.lgamma(chosen + 1) - math.lgamma(num - chosen + 1)


@dataclass(frozen=True, slots=True)
class _Look:
    """A region with the trials inside, and the others that have its parameter."""

    region: Region
    inside_N: Bools
    outside_N: Bools

    def p_values(self, ill_BN: Floats) -> NDArray[np.float64]:
        """Of each of B ways in which trials could be ill, 1 where they are.

        Floats, because NumPy multiplies matrices of these much faster than of integers.
        """
        num_inside, num_outside = int(self.inside_N.sum()), int(self.outside_N.sum())
        ill_inside_B, ill_outside_B = ill_BN @ self.inside_N.astype(float), ill_BN @ self.outside_N.astype(float)
        # Few tables differ, and each takes a while.
        tables, which_B = np.unique(ill_inside_B * (num_outside + 1) + ill_outside_B, return_inverse=True)
        pairs = [divmod(int(table), num_outside + 1) for table in tables]
        return np.array([chance_of_more(i, num_inside, o, num_outside) for i, o in pairs])[which_B]


def _corrected(smallest: float, looks: Sequence[_Look], ill_N: Bools, *, seed: int) -> float:
    """How often the smallest p-value of all looks is as small as `smallest` when it is chance who is ill."""
    if smallest * len(looks) <= PLAIN:
        return smallest * len(looks)
    random = np.random.default_rng(seed)
    ill_BN = random.permuted(np.tile(ill_N.astype(float), (NUM_PERMUTATIONS, 1)), axis=1)
    smallest_B = np.min([look.p_values(ill_BN) for look in looks], axis=0)
    # A rounding error apart is equal.
    as_small = int((smallest_B <= smallest * (1 + 1e-9)).sum())
    return (1 + as_small) / (1 + NUM_PERMUTATIONS)


def _looks(name: str, values: Sequence[Value | None]) -> Iterator[_Look]:
    """Every region of a parameter; trials with None do not have it."""
    having = [value for value in values if value is not None]
    has_N = np.array([value is not None for value in values])
    for region in _regions(name, having):
        inside_N = np.array([value is not None and region.holds(value) for value in values])
        yield _Look(region, inside_N, has_N & ~inside_N)


def _regions(name: str, values: Sequence[Value]) -> Iterator[Region]:
    """Each choice of a parameter, or each range that has one end in the middle."""
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        choices = dict.fromkeys(values)
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
