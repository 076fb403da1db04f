"""Reading a history: one metric over the steps, without what is not finite. Every check reads through this."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from trainables.health.finding import History

RECENT = 3
"""Epochs whose mean stands for "now": one epoch's value of a small model swings too much to judge by."""
LARGE = 1e100
"""Values beyond it are taken for not finite: sums and squares of them would not be."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The finite values of one metric.

    Attributes:
        points: (step, value) in the order of the steps; may be empty.
    """

    name: str
    points: tuple[tuple[int, float], ...]

    def __bool__(self) -> bool:
        return bool(self.points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def values(self) -> tuple[float, ...]:
        """Without their steps."""
        return tuple([value for _, value in self.points])

    @property
    def untrained(self) -> float | None:
        """The value at step 0."""
        return self.points[0][1] if self.points and self.points[0][0] == 0 else None

    @property
    def trained(self) -> "Curve":
        """The same without step 0."""
        return Curve(self.name, self.points[1:]) if self.untrained is not None else self

    @property
    def first(self) -> float:
        """The earliest value. Raises: IndexError: there is none."""
        return self.points[0][1]

    @property
    def last(self) -> float:
        """The newest value. Raises: IndexError: there is none."""
        return self.points[-1][1]

    @property
    def step(self) -> int:
        """The newest step. Raises: IndexError: there is none."""
        return self.points[-1][0]

    @property
    def now(self) -> float:
        """Mean of the last values. Raises: StatisticsError: there is none."""
        return fmean(self.values[-RECENT:])


def curve(history: History, name: str) -> Curve:
    """The metric `name` over the trial; without points where it was never measured."""
    measured = [(m.step, m.metrics[name]) for m in history.measurements if name in m.metrics]
    # `is_finite`, written out: every look at a trial comes through here for each of its metrics.
    return Curve(name, tuple([(step, float(value)) for step, value in measured if -LARGE < value < LARGE]))


def trained_curve(history: History, name: str) -> Curve:
    """The same, of the trained model only."""
    return curve(history, name).trained


def curves(history: History, prefix: str, suffix: str = "") -> Mapping[str, Curve]:
    """Every metric `<prefix><x><suffix>` by its x, of the trained model, where it has values."""
    found = {
        name[len(prefix) : len(name) - len(suffix)]: trained_curve(history, name)
        for name in history.metrics
        if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
    }
    return {key: values for key, values in found.items() if values}


def setting(history: History, key: str) -> float | None:
    """A number of the config; None where the config does not have it, or it is no number."""
    value = history.config.get(key)
    return float(value) if isinstance(value, int | float) and is_finite(value) else None


def is_finite(value: float) -> bool:
    """Whether `value` is a number that can be reckoned with."""
    return -LARGE < value < LARGE
