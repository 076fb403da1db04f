"""Generated recordings: each person has a heartbeat of their own, which changes a little from day to day.

A beat is a sum of Gaussians, one for each of P, Q, R, S and T. Everything follows from the source's seed; the splits
have no person and no random stream in common. Called by `load`.
Source of the model: McSharry et al. 2003, "A dynamical model for generating synthetic electrocardiogram signals",
without its differential equation.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import Split
from trainables.data.recordings.recordings import Entry, Recording
from trainables.data.recordings.sources import SimulatedSource

RATE_HZ = 250.0
_STREAMS = {Split.TRAIN: 0, Split.VAL: 1, Split.TEST: 2}
_PEOPLE, _DAYS, _RECORDS = 0, 1, 2
_WITHIN_A_DAY = 0.4
"""How much of the change from day to day happens between two records of one day."""
# P, Q, R, S, T: millivolts; seconds from the R peak; seconds of standard deviation.
_HEIGHTS = np.array([0.14, -0.12, 1.0, -0.22, 0.30])
_PLACES_S = np.array([-0.16, -0.028, 0.0, 0.030, 0.24])
_WIDTHS_S = np.array([0.022, 0.009, 0.011, 0.011, 0.045])
_R, _T = 2, 4


@dataclass(frozen=True, slots=True)
class _Heart:
    """One person's waves, and the heart rate at rest in beats a second."""

    heights: NDArray[np.float64]
    places_s: NDArray[np.float64]
    widths_s: NDArray[np.float64]
    rate: float


def list_simulated(source: SimulatedSource, split: Split) -> list[Entry]:
    """The records of the people of one split, not generated yet."""
    num = {Split.TRAIN: source.num_train, Split.VAL: source.num_val, Split.TEST: source.num_test}[split]
    return [
        Entry(person=f"{split.value}-{person:04d}", read=partial(_record, source, split, person, number))
        for person in range(num)
        for number in range(source.days * source.records_per_day)
    ]


def _record(source: SimulatedSource, split: Split, person: int, number: int) -> Recording:
    day, within = divmod(number, source.records_per_day)
    name = f"{split.value}-{person:04d}"
    stream = [source.seed, _STREAMS[split], person]
    born = _born(np.random.default_rng([*stream, _PEOPLE]))
    heart = _changed(born, np.random.default_rng([*stream, _DAYS, day]), amount=source.day_variation)
    rng = np.random.default_rng([*stream, _RECORDS, day, within])
    heart = _changed(heart, rng, amount=_WITHIN_A_DAY * source.day_variation)
    return Recording(
        name=f"simulated {name} day {day} record {within}",
        person=name,
        day=f"day {day}",
        signal_CT=_signal(heart, source, rng)[None],
        rate_hz=RATE_HZ,
    )


def _born(rng: np.random.Generator) -> _Heart:
    """A person: waves around the usual ones."""
    return _Heart(
        heights=_HEIGHTS * np.exp(0.26 * rng.standard_normal(5)),
        places_s=_PLACES_S * (1 + 0.08 * rng.standard_normal(5)),
        widths_s=_WIDTHS_S * np.exp(0.14 * rng.standard_normal(5)),
        rate=rng.uniform(0.9, 1.5),
    )


def _changed(heart: _Heart, rng: np.random.Generator, *, amount: float) -> _Heart:
    """The same person with electrodes placed anew: heights change, the T wave's most of all; times hardly do."""
    spread = amount * np.array([0.12, 0.10, 0.04, 0.10, 0.25])
    return _Heart(
        heights=heart.heights * np.exp(spread * rng.standard_normal(5)) * np.exp(0.15 * amount * rng.standard_normal()),
        places_s=heart.places_s * (1 + 0.015 * amount * rng.standard_normal(5)),
        widths_s=heart.widths_s,
        rate=float(np.clip(heart.rate * np.exp(0.12 * amount * rng.standard_normal()), 0.8, 2.5)),
    )


def _signal(heart: _Heart, source: SimulatedSource, rng: np.random.Generator) -> NDArray[np.float64]:
    """One record: beats in a breathing rhythm, a wandering baseline, noise."""
    time_T = np.arange(round(source.duration_s * RATE_HZ)) / RATE_HZ
    signal_T = _wander(time_T, rng) + source.noise * rng.standard_normal(len(time_T))
    place_s, phase = -rng.uniform(0, 1 / heart.rate), rng.uniform(0, 2 * np.pi)
    reach_s = 0.6
    while place_s < source.duration_s + reach_s:
        interval_s = (1 + 0.05 * np.sin(2 * np.pi * 0.25 * place_s + phase) + 0.02 * rng.standard_normal()) / heart.rate
        low, high = np.searchsorted(time_T, [place_s - reach_s, place_s + reach_s])
        signal_T[low:high] += _beat(time_T[low:high] - place_s, heart, interval_s)
        place_s += interval_s
    return signal_T


def _beat(time_T: NDArray[np.float64], heart: _Heart, interval_s: float) -> NDArray[np.float64]:
    """The waves around one R peak; T comes earlier in a faster beat (Bazett's root)."""
    places_s = heart.places_s.copy()
    places_s[_T] *= np.sqrt(min(interval_s, 1.2))
    distance_5T = (time_T - places_s[:, None]) / heart.widths_s[:, None]
    wave_T: NDArray[np.float64] = heart.heights @ np.exp(-(distance_5T**2) / 2)
    return wave_T


def _wander(time_T: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The slow movement of the baseline with breathing and skin, in millivolts."""
    rates = rng.uniform(0.05, 0.4, size=3)
    heights = 0.15 * rng.standard_normal(3)
    wave_T: NDArray[np.float64] = heights @ np.sin(
        2 * np.pi * (rates[:, None] * time_T + rng.uniform(0, 1, size=(3, 1)))
    )
    return wave_T
