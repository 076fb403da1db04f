"""From paces and survival to intervals: many sweeps rehearsed, each with another draw of what is not known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from orchestrator.analysis.budgets import SECONDS_PER_HOUR, Limit
from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace
from orchestrator.sweeps.planning.rehearsal import Rehearsal, Spent, rehearse
from orchestrator.sweeps.planning.survival import Survival
from orchestrator.trial import JsonValue

NUM_REHEARSALS = 200
MIN_PLAYED = 24
MAX_PLAYED_EVENTS = 25_000
"""Epochs of all sweeps in which the pruner itself is played; the rehearsals take their lengths from these sweeps."""
MAX_EVENTS = 400_000
COVERED = 0.9
DRIFT = 0.15
"""A machine is faster or slower on another hour by this factor (log-normal), besides what the probe saw."""
SHARED_DRIFT = 0.35
"""More of it where others use the machine as well: they may leave, and more may come."""
TOLD_APART = 1.3
"""Corners whose costs differ by less than this factor cost the same."""
SETTLED = 0.15
"""How far, as a share of the way between the corners, the trials of a sampler that has settled are from each other."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Contains the real value in about `COVERED` of the sweeps."""

    low: float
    mid: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Interval":
        """From the values of all rehearsals."""
        edge = (1 - COVERED) / 2
        low, mid, high = np.quantile(values, [edge, 0.5, 1 - edge])
        return cls(float(low), float(mid), float(high))

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {"low": self.low, "mid": self.mid, "high": self.high}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a sweep will take.

    Attributes:
        hours: wall hours from the moment when the runner is ready.
        device_hours: GPU-hours, or core-hours without a GPU.
        whole: share of the rehearsals in which all trials ended before a budget did.
    """

    trials: Interval
    epochs: Interval
    hours: Interval
    device_hours: Interval
    whole: float

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "trials": self.trials.to_json(),
            "epochs": self.epochs.to_json(),
            "hours": self.hours.to_json(),
            "device_hours": self.device_hours.to_json(),
            "whole": self.whole,
        }


@dataclass(frozen=True)
class Rehearsals:
    """Many played sweeps."""

    played: tuple[Rehearsal, ...]

    def forecast(self, limits: Mapping[Limit, float]) -> Forecast:
        """Intervals over all of them, each up to its end or to the first of the limits."""
        spent = [rehearsal.until(limits) for rehearsal in self.played]

        def interval(of: Callable[[Spent], float]) -> Interval:
            return Interval.of([of(one) for one in spent])

        return Forecast(
            trials=interval(lambda one: one.trials),
            epochs=interval(lambda one: one.epochs),
            hours=interval(lambda one: one.wall_s / SECONDS_PER_HOUR),
            device_hours=interval(lambda one: one.device_s / SECONDS_PER_HOUR),
            whole=sum(one.is_whole for one in spent) / len(spent),
        )


@dataclass(frozen=True, slots=True)
class Workers:
    """Where a sweep runs.

    Attributes:
        devices: GPUs of a trial, or where it has none its cores.
        shared: how busy others keep the machine while this is planned, from 0 to 1.
    """

    concurrency: int
    devices: float
    shared: float = 0.0


def rehearse_often(pace: Pace, survival: Survival, workers: Workers, *, guided_from: int, seed: int) -> Rehearsals:
    """Play a sweep again and again; trials from number `guided_from` on are near to each other in the space."""
    rng = np.random.default_rng(seed)
    lengths = [survival.draw(rng)]
    lengths += [survival.draw(rng) for _ in range(1, _as_many(lengths[0], MAX_PLAYED_EVENTS))]
    count = _as_many(lengths[0], MAX_EVENTS)
    played = []
    for number in range(count):
        epochs = lengths[number % len(lengths)]
        drift = float(np.exp(rng.normal(0.0, DRIFT + SHARED_DRIFT * workers.shared)))
        paces = [_slower(one, drift) for one in _paces(pace, len(epochs), guided_from=guided_from, rng=rng)]
        between = Between(*(seconds * drift for seconds in (_of(pace.between))))
        played.append(rehearse(epochs, paces, between, concurrency=workers.concurrency, devices=workers.devices))
    return Rehearsals(tuple(played))


def _as_many(lengths: Sequence[int], events: int) -> int:
    """How many sweeps of this size have that many epochs together, within bounds."""
    return max(MIN_PLAYED, min(NUM_REHEARSALS, events // max(1, sum(lengths))))


def _of(between: Between) -> tuple[float, float, float]:
    return between.warm_s, between.turn_s, between.step_s


def _slower(pace: TrialPace, factor: float) -> TrialPace:
    return TrialPace(pace.start_s * factor, pace.epoch_s * factor)


def _paces(pace: Pace, count: int, *, guided_from: int, rng: Generator) -> list[TrialPace]:
    """One for each trial: measured ones drawn twice, since they are a sample; or places between the corners."""
    corners = pace.corners
    if corners is None or corners[1].epoch_s < TOLD_APART * corners[0].epoch_s:
        known = [pace.trials[index] for index in rng.integers(len(pace.trials), size=len(pace.trials))]
        return [known[index] for index in rng.integers(len(known), size=count)]
    place = rng.uniform(size=count)
    # Where a model-based sampler settles is not known before; all its later trials are near there.
    place[guided_from:] = rng.uniform() + SETTLED * rng.normal(size=len(place[guided_from:]))
    return [_between_corners(corners, float(share)) for share in np.clip(place, 0.0, 1.0)]


def _between_corners(corners: tuple[TrialPace, TrialPace], share: float) -> TrialPace:
    cheap, dear = corners
    return TrialPace(
        cheap.start_s + share * (dear.start_s - cheap.start_s),
        cheap.epoch_s * (dear.epoch_s / cheap.epoch_s) ** share,
    )
