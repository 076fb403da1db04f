"""The winner's curse: how much of the search's best values was luck, seen when fresh seeds repeat them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.analysis.confirming.cells import Array, Candidate, Cells
from orchestrator.analysis.confirming.intervals import Interval, mean_interval
from orchestrator.spec.model import Direction


@dataclass(frozen=True, slots=True)
class Drop:
    """What the search promised and what fresh seeds gave on the same split.

    Attributes:
        drop: positive where the search promised too much, whichever way the metric goes; with a 95 % interval.
    """

    candidate: str
    search: float
    confirmed: float
    drop: Interval


def drops(candidates: Sequence[Candidate], cells: Cells, *, direction: Direction) -> tuple[Drop, ...]:
    """One for each candidate that the search has seen and that has a confirmed value on val."""
    made: list[Drop] = []
    for candidate in candidates:
        values = cells.table[cells.names.index(candidate.name)]
        if candidate.search is not None and np.isfinite(values).any():
            made.append(_drop(candidate.name, candidate.search, values, direction))
    return tuple(made)


def expected_drop(candidates: Sequence[Candidate], cells: Cells, *, direction: Direction) -> Drop | None:
    """The mean drop over the searched candidates, on the seeds that all of them have; None without such a seed."""
    searched = [candidate for candidate in candidates if candidate.search is not None]
    if not searched:
        return None
    table = cells.only([candidate.name for candidate in searched]).table
    means = table.mean(axis=0)  # NaN where one of them has no value
    if not np.isfinite(means).any():
        return None
    promised = float(np.mean([candidate.search for candidate in searched]))
    return _drop("all", promised, means, direction)


def _drop(name: str, search: float, values: Array, direction: Direction) -> Drop:
    confirmed = mean_interval(values, None)
    low, high = search - confirmed.high, search - confirmed.low
    if direction is Direction.MINIMIZE:
        low, high = -high, -low
    mean = search - confirmed.mean if direction is Direction.MAXIMIZE else confirmed.mean - search
    return Drop(name, search, confirmed.mean, Interval(mean, low, high))
