"""What a budget buys: `orch plan FILE --budget 2h`, read and answered from the rehearsals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orchestrator.analysis.budgets import SECONDS_PER_HOUR, Limit
from orchestrator.errors import UsageError
from orchestrator.sweeps.planning.forecast import Forecast, Rehearsals
from orchestrator.trial import JsonValue

_UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": SECONDS_PER_HOUR, "d": 24 * SECONDS_PER_HOUR}
_FORMS = "a time such as 2h, 90m or 30s, or gpu_hours=1, epochs=100 or wall_hours=2; several with commas"
SURE = 0.05
"""The number of trials that is told to fit does so in all but this share of the rehearsals."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the budget buys of the sweep in the file.

    Attributes:
        share: of the sweep's epochs.
        fits: a number of trials of which all but one in twenty rehearsals end all.
    """

    limits: Mapping[Limit, float]
    forecast: Forecast
    share: float
    fits: int

    @property
    def buys_all(self) -> bool:
        """Whether the whole sweep fits."""
        return self.forecast.whole >= 1 - SURE

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "budget": {limit.value: value for limit, value in self.limits.items()},
            **self.forecast.to_json(),
            "share": self.share,
            "fits": self.fits,
        }


def read_budget(text: str) -> dict[Limit, float]:
    """`2h`, or `gpu_hours=1`, or both with a comma between.

    Raises:
        UsageError: it is neither.
    """
    return dict(_read_one(part.strip(), whole=text) for part in text.split(","))


def buy(rehearsals: Rehearsals, limits: Mapping[Limit, float]) -> Purchase:
    """What the limits buy."""
    whole = rehearsals.forecast({})
    forecast = rehearsals.forecast(limits)
    ended = [rehearsal.until(limits).trials for rehearsal in rehearsals.played]
    return Purchase(limits, forecast, forecast.epochs.mid / max(1.0, whole.epochs.mid), int(np.quantile(ended, SURE)))


def _read_one(text: str, *, whole: str) -> tuple[Limit, float]:
    name, equals, number = text.partition("=")
    try:
        if equals:
            limit, value = Limit(name.strip()), float(number)
        else:
            limit, value = Limit.WALL_HOURS, _hours(text)
    except ValueError as error:
        raise UsageError(f"--budget {whole!r} cannot be read; the forms are {_FORMS}") from error
    if not 0 < value < float("inf"):
        raise UsageError(f"--budget {whole!r}: a budget is more than 0; the forms are {_FORMS}")
    return limit, value


def _hours(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+)\s*([a-z]+)", text)
    if match is None or match[2] not in _UNITS_S:
        raise ValueError(text)
    return float(match[1]) * _UNITS_S[match[2]] / SECONDS_PER_HOUR
