"""Successive halving as Optuna's pruner decides it, over values that are kept in order. Called by the judge.

Optuna's pruner reads all trials at each rung, so that a decision takes longer the more trials there are. The rule is
the same, and tests compare the two. Source: Li et al. 2018, arXiv:1810.05934.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.spec.model import Direction
from orchestrator.study.decisions import Decision


@dataclass(slots=True)
class Rungs:
    """The values that trials had at the rungs.

    Attributes:
        first: epochs at which rung 0 of bracket 0 is reached.
        bracket: of hyperband, by the trial's number; its trials compete among themselves and start so many rungs later.
    """

    first: int
    factor: int
    direction: Direction
    bracket: Callable[[int], int] = lambda number: 0
    _reached: dict[int, list[float]] = field(default_factory=dict)
    _ordered: dict[tuple[int, int], list[float]] = field(default_factory=dict)

    def recall(self, number: int, values: Sequence[float]) -> None:
        """Take up the values of a trial at all rungs that it has reached."""
        for value in values:
            self._add(number, value)

    def num_reached(self, number: int) -> int:
        """How many rungs a trial has reached."""
        return len(self._reached.get(number, ()))

    def climb(self, number: int, *, step: int, value: float) -> bool:
        """Note a value at each rung that it reaches; whether there was one. Beyond a rung goes who leads there."""
        before = self.num_reached(number)
        while step >= self._epochs(number, self.num_reached(number)):
            self._add(number, value)
            if self.look(number, step=step).pruned:
                break
        return self.num_reached(number) > before

    def look(self, number: int, *, step: int) -> Decision:
        """What follows at the highest rung that a trial has reached, from the values that are there now."""
        rung = self.num_reached(number) - 1
        value = self._reached[number][rung]
        ordered = self._ordered[self.bracket(number), rung]
        place = bisect_left(ordered, self._signed(value))
        promotable = max(len(ordered) // self.factor - 1, 0)
        cutoff = self._signed(ordered[promotable])
        return Decision(step, rung, value, cutoff, place + 1, len(ordered), pruned=place > promotable)

    def _epochs(self, number: int, rung: int) -> int:
        epochs: int = self.first * self.factor ** (self.bracket(number) + rung)
        return epochs

    def _add(self, number: int, value: float) -> None:
        reached = self._reached.setdefault(number, [])
        insort(self._ordered.setdefault((self.bracket(number), len(reached)), []), self._signed(value))
        reached.append(value)

    def _signed(self, value: float) -> float:
        """So that the best comes first; the same again turns it back."""
        return -value if self.direction is Direction.MAXIMIZE else value
