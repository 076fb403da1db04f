"""What a confirmation measured: candidates, their runs, and the table of candidates by seeds. Plain data.

The same seeds and the same drawn test units serve every candidate, so that differences are paired by both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EQUAL = 1e-9
"""Two values are equal when they differ by less than this part of the largest: rounding is no variation."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that is confirmed.

    Attributes:
        name: how sentences call it; unique.
        search: the value that the search saw; None for the default, which was not searched.
        default: whether it is the default configuration, which all others are compared with. Exactly one is.
    """

    name: str
    search: float | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One training of one candidate with one seed.

    Attributes:
        val: its best value on val after epoch 0; None while it is in work, NaN when it failed.
        test: its value on test, for finalists, once the split was read.
        resamples: `test` on units drawn with replacement; the same draws for every run.
    """

    candidate: str
    seed: int
    val: float | None = None
    test: float | None = None
    resamples: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """One metric of several candidates.

    Attributes:
        names: the candidates, as rows.
        table: shape [K, S], candidates by seeds; NaN where there is no value.
        resamples: shape [K, S, B], NaN where there is no value; None where a run brought none.
    """

    names: tuple[str, ...]
    table: Array
    resamples: Array | None = None

    @property
    def num_seeds(self) -> tuple[int, ...]:
        """How many seeds have a value, per candidate."""
        return tuple(int(count) for count in np.isfinite(self.table).sum(axis=1))

    @property
    def scale(self) -> float:
        """The largest magnitude in the table; 0 for an empty one."""
        finite = self.table[np.isfinite(self.table)]
        return float(np.abs(finite).max()) if finite.size else 0.0

    def only(self, names: Sequence[str]) -> "Cells":
        """The rows of some candidates, in the order given."""
        rows = [self.names.index(name) for name in names]
        return Cells(tuple(names), self.table[rows], None if self.resamples is None else self.resamples[rows])


def cells_on_val(names: Sequence[str], runs: Sequence[Run], seeds: Sequence[int]) -> Cells:
    """The values on val."""
    table = np.full((len(names), len(seeds)), np.nan)
    for run, cell in _placed(names, runs, seeds):
        table[cell] = run.val if run.val is not None and isfinite(run.val) else np.nan
    return Cells(tuple(names), table)


def cells_on_test(names: Sequence[str], runs: Sequence[Run], seeds: Sequence[int]) -> Cells:
    """The values on test, with their resamples if each value has as many as the others."""
    table = np.full((len(names), len(seeds)), np.nan)
    read = [(run, cell) for run, cell in _placed(names, runs, seeds) if run.test is not None and isfinite(run.test)]
    counts = {len(run.resamples) for run, _ in read}
    drawn = counts.pop() if len(counts) == 1 else 0
    resamples = np.full((*table.shape, drawn), np.nan)
    for run, cell in read:
        table[cell] = run.test
        if drawn:
            resamples[cell] = run.resamples
    return Cells(tuple(names), table, resamples if drawn > 1 else None)


def _placed(names: Sequence[str], runs: Sequence[Run], seeds: Sequence[int]) -> list[tuple[Run, tuple[int, int]]]:
    rows = {name: row for row, name in enumerate(names)}
    columns = {seed: column for column, seed in enumerate(seeds)}
    known = [run for run in runs if run.candidate in rows and run.seed in columns]
    return [(run, (rows[run.candidate], columns[run.seed])) for run in known]
