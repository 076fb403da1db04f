"""What is searched: a tabulated task, or a synthetic function whose curves are cheap. A problem gives whole curves."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from pydantic import JsonValue

from benchmarks.efficiency.tabulate import TABLES
from benchmarks.efficiency.tasks import TASKS, Scalar, TabulatedTask


class Problem(Protocol):
    """A search space with a known curve for each point; larger is better."""

    @property
    def name(self) -> str:
        """For tables."""

    @property
    def space(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """As a sweep file says it."""

    @property
    def best(self) -> float:
        """The best value of any curve."""

    def curve(self, params: Mapping[str, Scalar]) -> Sequence[float]:
        """Values at epochs 0, 1, 2, ..."""


@dataclass(frozen=True)
class Tabulated:
    """A task of ours, known at every cell of its table."""

    name: str

    @property
    def task(self) -> TabulatedTask:
        """What was tabulated."""
        return TASKS[self.name]

    @property
    def space(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """The ranges of the axes."""
        return {name: axis.domain() for name, axis in self.task.axes.items()}

    @cached_property
    def _curves(self) -> list[list[float]]:
        """Of all cells. A diverged epoch counts as the worst value that the table has."""
        rows: list[list[float | None]] = json.loads((TABLES / f"{self.name}.json").read_text())
        worst = min(value for row in rows for value in row if value is not None)
        return [[worst if value is None else value for value in row] for row in rows]

    @cached_property
    def best(self) -> float:
        """Over all cells and epochs after the untrained one."""
        return max(max(row[1:]) for row in self._curves)

    def curve(self, params: Mapping[str, Scalar]) -> Sequence[float]:
        """The curve of the nearest cell."""
        place = 0
        for name, axis in self.task.axes.items():
            place = place * len(axis.values) + axis.nearest(params[name])
        return self._curves[place]


_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


@dataclass(frozen=True)
class Hartmann:
    """Hartmann's function of six dimensions as the end of a curve that rises at a rate of its own.

    The function: Surjanovic and Bingham, Virtual Library of Simulation Experiments. Slow configurations look worse than
    they are at first; each epoch has noise of 0.02, fixed for a point.
    """

    epochs: int = 9
    name: str = "hartmann6"
    best: float = 3.32237

    @property
    def space(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """The unit cube."""
        return {f"x{n}": {"type": "float", "low": 0.0, "high": 1.0} for n in range(6)}

    def curve(self, params: Mapping[str, Scalar]) -> Sequence[float]:
        """It has risen by 1 - exp(-t / tau) at epoch t, tau between 1 and 4 by the first coordinate."""
        x = np.array([float(params[f"x{n}"]) for n in range(6)])
        end = float(_ALPHA @ np.exp(-(_A * (x - _P) ** 2).sum(axis=1)))
        tau = 1 + 3 * x[0]
        rng = np.random.default_rng([int(1e9 * value) for value in x])
        noise = 0.02 * rng.standard_normal(self.epochs + 1)
        return [end * (1 - math.exp(-t / tau)) + noise[t] for t in range(self.epochs + 1)]


PROBLEMS: tuple[Problem, ...] = (*(Tabulated(name) for name in TASKS), Hartmann())
