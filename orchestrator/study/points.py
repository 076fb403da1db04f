"""Samplers whose point depends on nothing but the trial's number: the grid and the quasi-random sequence.

Both are made anew for each trial and keep no position, so a resumed sweep and trials that run side by side go on in
the same sequence.
"""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from orchestrator.errors import UsageError
from orchestrator.space import Float, Int, Parameter, SearchSpace, num_values, value_at
from orchestrator.trial import Value

BLOCK = 256
"""Points drawn at once; a power of two keeps the sequence balanced."""
MAX_INFEASIBLE = 10_000
"""Points in a row without a feasible one after which the constraints are taken to be impossible."""


class _PointSampler(BaseSampler):
    """Proposes one given point."""

    def __init__(self, point: Mapping[str, Value]) -> None:
        self._point = point

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Value:
        return self._point[param_name]


def point_sampler(point: Mapping[str, Value]) -> BaseSampler:
    """A sampler that proposes `point`."""
    return _PointSampler(point)


def grid_point(space: SearchSpace, *, seed: int, number: int) -> dict[str, Value]:
    """The grid's point for a trial, in an order shuffled by the seed."""
    points = list(space.grid())
    random.Random(seed).shuffle(points)
    return points[number % len(points)]


def sobol_point(space: SearchSpace, *, seed: int, number: int) -> dict[str, Value]:
    """The feasible point `number` of a scrambled Sobol sequence; a coordinate of an inactive parameter is not used.

    Raises:
        UsageError: the constraints leave nothing.
    """
    return next(itertools.islice(_feasible(space, seed), number, None))


def _feasible(space: SearchSpace, seed: int) -> Iterator[dict[str, Value]]:
    num_infeasible = 0
    for shares in _sobol(len(space.names), seed):
        values = _point(space, dict(zip(space.names, shares, strict=True)))
        if space.is_feasible(values):
            num_infeasible = 0
            yield values
        elif (num_infeasible := num_infeasible + 1) == MAX_INFEASIBLE:
            raise UsageError(f"no configuration satisfies the constraints in {MAX_INFEASIBLE} draws")


def _point(space: SearchSpace, shares: Mapping[str, float]) -> dict[str, Value]:
    return space.sample(lambda name, parameter: value_at_share(parameter, shares[name]))


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


def _between(low: float, high: float, share: float, *, log: bool) -> float:
    if log:
        return math.exp(math.log(low) * (1 - share) + math.log(high) * share)
    return low * (1 - share) + high * share
