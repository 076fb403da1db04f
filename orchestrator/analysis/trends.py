"""How each metric of a run moved, and whether that is good: pure functions over steps and values.

Called by `sweeps` with each metric's direction and references; knows no metric by name. Imported by the module's own
path, because it needs scipy, which most commands do not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.stats import kendalltau, theilslopes

from orchestrator.spec.model import Direction

MIN_POINTS = 4
"""Fewer points in a row are in order too often by chance: 3 of them one time in 3."""
MAX_POINTS = 400
"""Longer curves are thinned out evenly: both tests look at each pair of points."""
MAX_P_VALUE = 0.1
NEAR_FLOOR = 0.02
"""Share of the way from the floor to chance that counts as the floor."""
LOSS_SINCE_BEST = 0.1
"""A fall from the best is worth a word from this share of what was gained."""

LARGE = 1e100
"""Values beyond it are taken for infinite: differences and slopes of them would be."""

Points = Sequence[tuple[int, float]]
"""Steps with their values, oldest first."""


class Movement(StrEnum):
    """Where a metric goes, by Kendall's test over all its steps."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    UNCLEAR = "unclear"
    """Too few points."""


class Verdict(StrEnum):
    """Whether a metric's course is good."""

    GOOD = "good"
    BAD = "bad"
    FLAT = "flat"
    NONE = "none"
    """More is neither better nor worse, or there is too little to tell."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric's course.

    Attributes:
        first, best, last: step and value, of the finite ones where there are any; `best` is None where more is
            neither better nor worse.
        slope: change per step, the median over all pairs of steps (Theil-Sen); None with too few points.
        p_value: of Kendall's tau against no trend; None with too few points.
        why: the reason of the verdict, in a few words.
        references: what the last value stands beside, such as chance.
        num_not_finite: values that are NaN or infinite; they are left out of all the rest.
    """

    metric: str
    first: tuple[int, float]
    best: tuple[int, float] | None
    last: tuple[int, float]
    slope: float | None
    p_value: float | None
    movement: Movement
    verdict: Verdict
    why: str
    references: Mapping[str, float]
    num_finite: int
    num_not_finite: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether it never changed."""
        return self.num_not_finite == 0 and (self.num_finite == 1 or (self.slope == 0.0 and self.p_value == 1.0))


def trend(metric: str, points: Points, *, direction: Direction | None, references: Mapping[str, float]) -> Trend:
    """Work out the course of a metric.

    Args:
        points: one or more; one at step 0 is the untrained model's.
        direction: None where more is neither better nor worse.
        references: role (`chance`, `floor`, `baseline`) to value.
    """
    finite = [(step, value) for step, value in points if _is_finite(value)]
    slope, p_value = _tested(finite)
    movement = _movement(slope, p_value)
    verdict, why, best = Verdict.NONE, "", None
    if finite and direction is not None:
        best = _best(finite, direction)
        verdict, why = _Course(finite, direction, movement, references).judge()
    if not _is_finite(points[-1][1]):
        since = next(step for step, _ in points if not finite or step > finite[-1][0])
        verdict, why = Verdict.BAD, f"not a finite number since epoch {since}"
    finite = finite or [points[0]]
    return Trend(
        metric=metric,
        first=finite[0],
        best=best,
        last=finite[-1],
        slope=slope,
        p_value=p_value,
        movement=movement,
        verdict=verdict,
        why=why,
        references=references,
        num_finite=sum(_is_finite(value) for _, value in points),
        num_not_finite=sum(not _is_finite(value) for _, value in points),
    )


@dataclass(frozen=True, slots=True)
class _Course:
    """What a verdict is made of; one point or more."""

    points: Points
    direction: Direction
    movement: Movement
    references: Mapping[str, float]

    def judge(self) -> tuple[Verdict, str]:
        """The gravest thing that holds: chance, the untrained model, a fall since the best, a missing gain."""
        step, last = self.points[-1]
        untrained = self.points[0][1] if self.points[0][0] == 0 and step > 0 else None
        noise = _noise([value for at, value in self.points if at > 0])
        gained = None if untrained is None else self._gain(last, untrained)
        improving = self.movement is (Movement.RISING if self.direction is Direction.MAXIMIZE else Movement.FALLING)
        if "chance" in self.references and self._gain(last, self.references["chance"]) <= 0:
            return Verdict.BAD, "no better than chance"
        if gained is not None and gained < -noise:
            return Verdict.BAD, "worse than untrained"
        if (since := self._fell_since()) is not None:
            return Verdict.BAD, f"worse since epoch {since}"
        if not improving and self.movement in (Movement.RISING, Movement.FALLING):
            return Verdict.BAD, "getting worse"
        if "baseline" in self.references and self._gain(last, self.references["baseline"]) < 0:
            return (Verdict.FLAT if improving else Verdict.BAD), "worse than the baseline"
        if self._at_floor(last):
            return Verdict.GOOD, "at its floor"
        if gained is not None and gained > noise:
            return Verdict.GOOD, "better than untrained"
        if improving:
            return Verdict.GOOD, "improving"
        if len(self.points) < MIN_POINTS:
            return Verdict.NONE, "too short to tell"
        return Verdict.FLAT, "no better than untrained" if untrained is not None else "no change"

    def _gain(self, value: float, over: float) -> float:
        return value - over if self.direction is Direction.MAXIMIZE else over - value

    def _at_floor(self, last: float) -> bool:
        floor, chance = self.references.get("floor"), self.references.get("chance")
        return floor is not None and chance is not None and last - floor <= NEAR_FLOOR * (chance - floor)

    def _fell_since(self) -> int | None:
        """The step of the best value if the metric has fallen from it ever since, by more than a little."""
        best_step, best = _best(self.points, self.direction)
        tail = [point for point in self.points if point[0] > best_step]
        slope, p_value = _tested(tail)
        if slope is None or p_value is None or p_value > MAX_P_VALUE or self._gain(slope, 0.0) >= 0:
            return None
        gained = self._gain(best, self.points[0][1])
        lost = self._gain(best, tail[-1][1])
        return best_step if lost > LOSS_SINCE_BEST * gained else None


def _is_finite(value: float) -> bool:
    return abs(value) < LARGE


def _best(points: Points, direction: Direction) -> tuple[int, float]:
    """The earliest of the best."""
    sign = -1.0 if direction is Direction.MAXIMIZE else 1.0
    return min(points, key=lambda point: (sign * point[1], point[0]))


def _tested(points: Points) -> tuple[float | None, float | None]:
    """Slope per step and the p-value of Kendall's test; (0, 1) for values that are all equal."""
    if len(points) < MIN_POINTS:
        return (0.0, 1.0) if points and len({value for _, value in points}) == 1 else (None, None)
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), MAX_POINTS)).round().astype(int))
    steps, values = np.array([points[i] for i in chosen], dtype=float).T
    if (values == values[0]).all():
        return 0.0, 1.0
    return float(theilslopes(values, steps).slope), float(kendalltau(steps, values).pvalue)


def _movement(slope: float | None, p_value: float | None) -> Movement:
    if slope is None or p_value is None:
        return Movement.UNCLEAR
    if p_value > MAX_P_VALUE or slope == 0:
        return Movement.STEADY
    return Movement.RISING if slope > 0 else Movement.FALLING


def _noise(values: Sequence[float]) -> float:
    """The standard deviation around the course, from the differences of neighbours; 0 with too few of them."""
    if len(values) < MIN_POINTS:
        return 0.0
    differences = np.diff(values)
    spread = np.median(np.abs(differences - np.median(differences)))
    return float(1.4826 * spread / math.sqrt(2))
