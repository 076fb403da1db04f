"""How many epochs the trials of a sweep run: the sweep's own pruner is rehearsed on random learning curves.

Successive halving promotes asynchronously, so that more trials go on than the reduction factor says; rehearsing the
pruner itself needs no second copy of such rules. Called by the forecast; nothing here trains.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from orchestrator.spec import SweepSpec
from orchestrator.spec.model import (
    Direction,
    MaxEpochsRule,
    NonFiniteRule,
    NoPruner,
    PlateauRule,
)
from orchestrator.study.judging import Judge
from orchestrator.sweeps.planning.earlier import Lengths
from orchestrator.trial import STANDARD_ERROR, Cause, Ending, Measurement, TrialRecord, TrialState

MAX_HEARD = 1500
"""Epochs that one rehearsal plays; the trials beyond run as long as those of its second half."""
MIN_PLAYED = 20
GAIN = (0.0, 1.5)
"""By how many standard deviations of random configurations a model-based sampler's last trials are better.

It grows from the sampler's first trial on."""
NOISE = (0.05, 0.5)
"""Noise of a measurement, in the same unit."""
STOPPED_BY_PLATEAU = (0.0, 0.6)
STOPPED_AS_ILL = (0.0, 0.2)
"""Shares of the trials that stop rules end, when no earlier sweep tells."""


@dataclass(frozen=True)
class Rehearsed:
    """Lengths from the pruner's rules.

    Attributes:
        longest: epochs of full-length trials; each trial has one of them.
        num_trials: of the sweep.
        guided_from: the trial from which on a model of the earlier ones proposes.
    """

    spec: SweepSpec
    longest: Sequence[int]
    num_trials: int
    concurrency: int
    guided_from: int

    @property
    def source(self) -> str:
        """What the lengths rest on, in words."""
        pruner = "" if isinstance(self.spec.pruner, NoPruner) else f"{self.spec.pruner.type} rehearsed on random curves"
        plateau, ill = _rules(self.spec)
        assumed = [f"{low:.0%} to {high:.0%} of the trials stop early by rule (assumed)" for low, high in plateau + ill]
        return "; ".join(filter(None, [pruner, *assumed])) or "every trial runs to its end"

    def draw(self, rng: Generator) -> list[int]:
        """Epochs of each trial of one sweep."""
        limit = min((rule.epochs for rule in self.spec.stop if isinstance(rule, MaxEpochsRule)), default=None)
        full = [int(epochs) for epochs in rng.choice(self.longest, size=self.num_trials)]
        full = full if limit is None else [min(epochs, limit) for epochs in full]
        lengths = full if isinstance(self.spec.pruner, NoPruner) else self._pruned(full, rng)
        return self._stopped(lengths, rng)

    def _pruned(self, full: Sequence[int], rng: Generator) -> list[int]:
        played = min(len(full), max(MIN_PLAYED, MAX_HEARD // max(full)))
        gain = rng.uniform(*GAIN) * np.clip(np.arange(played) - self.guided_from + 1, 0, None) / played
        curves = _curves(self.spec, full[:played], gain, rng)
        lengths = _play(self.spec, curves, concurrency=self.concurrency, rng=rng)
        late = lengths[played // 2 :]
        return lengths + [min(epochs, int(rng.choice(late))) for epochs in full[played:]]

    def _stopped(self, lengths: Sequence[int], rng: Generator) -> list[int]:
        plateau, ill = _rules(self.spec)
        patience = min((rule.patience for rule in self.spec.stop if isinstance(rule, PlateauRule)), default=1)
        stopped = list(lengths)
        for (low, high), earliest in [*((share, patience + 1) for share in plateau), *((share, 2) for share in ill)]:
            share = rng.uniform(low, high)
            stopped = [
                int(rng.integers(earliest, length + 1)) if length > earliest and rng.random() < share else length
                for length in stopped
            ]
        return stopped


@dataclass(frozen=True)
class Remembered:
    """Lengths as the trials of an earlier sweep had them."""

    lengths: Lengths
    num_trials: int

    @property
    def source(self) -> str:
        """What the lengths rest on, in words."""
        return f"trials as long as those of {self.lengths.source}"

    def draw(self, rng: Generator) -> list[int]:
        """Epochs of each trial of one sweep; that the earlier sweep was one of many counts too."""
        known = rng.choice(self.lengths.epochs, size=len(self.lengths.epochs))
        return [int(epochs) for epochs in rng.choice(known, size=self.num_trials)]


Survival = Rehearsed | Remembered


def _rules(spec: SweepSpec) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Shares that rules end early: at most one for plateaus and targets, and one for illness."""
    ill = any(not isinstance(rule, MaxEpochsRule | PlateauRule | NonFiniteRule) for rule in spec.stop)
    plateau = any(isinstance(rule, PlateauRule) for rule in spec.stop)
    return [STOPPED_BY_PLATEAU] * plateau, [STOPPED_AS_ILL] * ill


def _play(spec: SweepSpec, curves: Sequence[Sequence[float]], *, concurrency: int, rng: Generator) -> list[int]:
    """One sweep in which each epoch takes about as long: the epochs that each trial ran."""
    full = [len(curve) for curve in curves]
    judge = Judge(_without_floors(spec), name=f"rehearsal-{rng.integers(2**31)}", max_epochs=max(full))
    lengths, waiting = [0] * len(full), list(range(len(full)))[::-1]
    queue = [(rng.uniform(), waiting.pop(), 1) for _ in range(min(concurrency, len(full)))]
    heapq.heapify(queue)
    while queue:
        now, number, step = heapq.heappop(queue)
        last = step >= full[number]
        decision = judge.hear(number, _measured(spec, step, curves[number][step - 1]), last=last)
        if not last and not (decision is not None and decision.pruned):
            heapq.heappush(queue, (now + rng.uniform(0.9, 1.1), number, step + 1))
            continue
        lengths[number] = step
        judge.close(_ended(spec, number, curves[number][:step], complete=last))
        if waiting:
            heapq.heappush(queue, (now + rng.uniform(0.9, 1.1), waiting.pop(), 1))
    return lengths


def _without_floors(spec: SweepSpec) -> SweepSpec:
    """The same question without floors: what random curves would reach of other metrics is not known."""
    return spec.model_copy(update={"floors": {}})


def _curves(spec: SweepSpec, full: Sequence[int], gain: NDArray[np.float64], rng: Generator) -> list[list[float]]:
    """Saturating curves towards a trial's quality, which is `gain` better on average than a random one's."""
    noise = rng.uniform(*NOISE)
    sign = 1.0 if spec.objective.direction is Direction.MAXIMIZE else -1.0
    quality = rng.normal(size=len(full)) + gain
    made = []
    for number, epochs in enumerate(full):
        steps = np.arange(1, epochs + 1)
        progress = 1 - np.exp(-4 * steps / epochs)
        values = 4 * progress + quality[number] * progress + noise * rng.normal(size=epochs)
        made.append([float(sign * value) for value in values])
    return made


def _measured(spec: SweepSpec, step: int, value: float) -> Measurement:
    metric = spec.objective.metric
    error = {STANDARD_ERROR.format(metric): sum(NOISE) / 2 / spec.repeats**0.5} if spec.repeats > 1 else {}
    return Measurement(step, {metric: value, **error}, 0.0, 0)


def _ended(spec: SweepSpec, number: int, values: Sequence[float], *, complete: bool) -> TrialRecord:
    best = max(values) if spec.objective.direction is Direction.MAXIMIZE else min(values)
    record = TrialRecord(
        number,
        TrialState.PRUNED,
        {},
        tuple(_measured(spec, step, value) for step, value in enumerate(values, 1)),
        value=best,
        best_step=values.index(best) + 1,
        ending=Ending(Cause.PRUNED, "pruned"),
    )
    return replace(record, state=TrialState.COMPLETE, ending=Ending(Cause.FINISHED, "finished")) if complete else record
