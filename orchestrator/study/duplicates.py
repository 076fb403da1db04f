"""Whether a configuration was tried before. Called by `sampling`, which does not propose one twice.

Two configurations are equal if they have the same active parameters, equal choices, whole numbers and steps, and
floats that differ by at most `TOLERANCE` of the range, or of the range's logarithm where `log` is set.
"""

import math
from collections.abc import Iterable, Mapping

from orchestrator.space import Categorical, Fixed, Float, Int, SearchSpace, num_values
from orchestrator.study.points import share_of
from orchestrator.trial import Value

TOLERANCE = 1e-3

_Cell = tuple[tuple[str, Value], ...]


class Tried:
    """Configurations of one space, found again within the tolerance."""

    def __init__(self, space: SearchSpace, configurations: Iterable[Mapping[str, Value]]) -> None:
        self._space = space
        self._cells: set[_Cell] = set()
        self._shares: dict[tuple[_Cell, int], list[tuple[float, ...]]] = {}
        for values in configurations:
            self.add(values)

    def add(self, values: Mapping[str, Value]) -> None:
        """Remember one more."""
        cell, shares = self._place(values)
        self._cells.add(cell)
        self._shares.setdefault((cell, _slice(shares)), []).append(shares)

    def __contains__(self, values: Mapping[str, Value]) -> bool:
        cell, shares = self._place(values)
        here = _slice(shares)
        return any(
            all(abs(a - b) <= TOLERANCE for a, b in zip(shares, earlier, strict=True))
            for near in (here - 1, here, here + 1)
            for earlier in self._shares.get((cell, near), ())
        )

    def num_cells(self) -> int:
        """How many different ones there are where no parameter is continuous."""
        return len(self._cells)

    def _place(self, values: Mapping[str, Value]) -> tuple[_Cell, tuple[float, ...]]:
        """What must be equal, and the shares of the ranges, which may differ a little."""
        cell: list[tuple[str, Value]] = []
        shares: list[float] = []
        for name in self._space.names:
            if name not in values:
                continue
            value, parameter = values[name], self._space.parameters[name]
            match parameter:
                case Float(step=None):
                    assert isinstance(value, int | float)
                    cell.append((name, ""))
                    shares.append(share_of(parameter, value))
                case Float(low=low, step=float(step)):
                    assert isinstance(value, int | float)
                    cell.append((name, round((value - low) / step)))
                case Int() | Categorical() | Fixed():
                    # The kind tells 1 from true, which Python finds equal.
                    cell.append((f"{name}:{isinstance(value, bool)}", value))
        return tuple(cell), tuple(shares)


def _slice(shares: tuple[float, ...]) -> int:
    """Equal ones lie in the same slice of the first range, or in one beside it: few are looked at."""
    return math.floor(shares[0] / TOLERANCE) if shares else 0


def num_combinations(space: SearchSpace) -> int | None:
    """The product of the parameters' values, conditions and constraints aside; None where one is continuous."""
    total = 1
    for parameter in space.parameters.values():
        count = num_values(parameter)
        if count is None:
            return None
        total *= count
    return total
