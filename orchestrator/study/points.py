"""Sequences of configurations that depend on nothing but the seed: the shuffled grid and the quasi-random points.

A trial's place in its sequence follows from the trials before it, so a resumed sweep and trials that run side by side
go on in the same sequence. Called by `sampling`.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping

from orchestrator.errors import UsageError
from orchestrator.space import Float, Int, Parameter, SearchSpace, num_values, value_at
from orchestrator.trial import Value

BLOCK = 256
"""Points drawn at once; a power of two keeps the sequence balanced."""
MAX_INFEASIBLE = 10_000
"""Points in a row without a feasible one after which the constraints are taken to be impossible."""


def grid_order(space: SearchSpace, *, seed: int) -> list[dict[str, Value]]:
    """Every feasible combination once, in an order shuffled by the seed."""
    points = list(space.grid())
    random.Random(seed).shuffle(points)
    return points


def sobol_points(
    space: SearchSpace, *, seed: int, start: int, given: Mapping[str, Value] | None = None
) -> Iterator[dict[str, Value]]:
    """The feasible points of a scrambled Sobol sequence from number `start` on; there is no last one.

    A coordinate of an inactive parameter, or of one with a `given` value, is not used.

    Raises:
        UsageError: the constraints leave nothing.
    """
    return itertools.islice(_feasible(space, seed, given or {}), start, None)


def sobol_point(space: SearchSpace, *, seed: int, number: int) -> dict[str, Value]:
    """The feasible point `number` of that sequence.

    Raises:
        UsageError: the constraints leave nothing.
    """
    return next(sobol_points(space, seed=seed, start=number))


def _feasible(space: SearchSpace, seed: int, given: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    num_infeasible = 0
    for shares in _sobol(len(space.names), seed):
        values = _point(space, dict(zip(space.names, shares, strict=True)), given)
        if space.is_feasible(values):
            num_infeasible = 0
            yield values
        elif (num_infeasible := num_infeasible + 1) == MAX_INFEASIBLE:
            raise UsageError(f"no configuration satisfies the constraints in {MAX_INFEASIBLE} draws")


def _point(space: SearchSpace, shares: Mapping[str, float], given: Mapping[str, Value]) -> dict[str, Value]:
    def draw(name: str, parameter: Parameter) -> Value:
        return given[name] if name in given else value_at_share(parameter, shares[name])

    return space.sample(draw)


def _sobol(dimensions: int, seed: int) -> Iterator[list[float]]:
    from scipy.stats import qmc  # takes half a second to import, and few sweeps ask for it

    engine = qmc.Sobol(dimensions, scramble=True, seed=seed)
    while True:
        yield from engine.random(BLOCK).tolist()


def value_at_share(parameter: Parameter, share: float) -> Value:
    """The value at a share in [0, 1) of the domain, or of its logarithm where `log` is set."""
    match parameter:
        case Float(low=low, high=high, log=log, step=None):
            value = _between(low, high, share, log=log)
            return min(max(value, low), high)
        case Int(low=low, high=high, log=True):
            return min(max(round(_between(low - 0.5, high + 0.5, share, log=True)), low), high)
        case _:
            count = num_values(parameter)
            assert count is not None, "only a float without a step has no count"
            return value_at(parameter, int(share * count))


def share_of(parameter: Float, value: float) -> float:
    """Where a value lies in the range of a float, or in its logarithm: 0 at `low`, 1 at `high`."""
    low, high = parameter.low, parameter.high
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    # Halves, because the difference of two large numbers can overflow.
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.0


def _between(low: float, high: float, share: float, *, log: bool) -> float:
    if log:
        return math.exp(math.log(low) * (1 - share) + math.log(high) * share)
    return low * (1 - share) + high * share
