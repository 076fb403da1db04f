"""One sweep played through on paper: trials of known lengths and paces on a number of workers, event by event.

Called by the forecast, many times; draws nothing itself.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.analysis.budgets import SECONDS_PER_HOUR, Limit
from orchestrator.sweeps.planning.pace import Between, TrialPace


@dataclass(frozen=True, slots=True)
class Spent:
    """What a sweep took, up to its end or up to a budget."""

    trials: int
    epochs: int
    wall_s: float
    device_s: float
    is_whole: bool


@dataclass(frozen=True)
class Rehearsal:
    """The measurements of one sweep in their order.

    Attributes:
        at_s, train_s, epochs, ends: of each measurement (arrays of one length): when it came in, the training before
            it, the epochs that it adds, and 1 where it was its trial's last.
        devices: GPUs or cores of a trial.
    """

    at_s: NDArray[np.float64]
    train_s: NDArray[np.float64]
    epochs: NDArray[np.int64]
    ends: NDArray[np.int64]
    devices: float
    concurrency: int

    def until(self, limits: Mapping[Limit, float]) -> Spent:
        """What is spent when the first of the limits is reached; epochs that are then in work are finished."""
        used = {
            Limit.WALL_HOURS: self.at_s / SECONDS_PER_HOUR,
            Limit.GPU_HOURS: np.cumsum(self.train_s) * self.devices / SECONDS_PER_HOUR,
            Limit.EPOCHS: np.cumsum(self.epochs),
        }
        size = len(self.at_s)
        stop = min((int(np.searchsorted(used[limit], value)) for limit, value in limits.items()), default=size)
        # Each of the other workers brings what it is at.
        last = min(stop + self.concurrency, size)
        return Spent(
            trials=int(self.ends[:last].sum()),
            epochs=int(self.epochs[:last].sum()),
            wall_s=float(self.at_s[last - 1]),
            device_s=float(self.train_s[:last].sum()) * self.devices,
            is_whole=last == size,
        )


def rehearse(
    lengths: Sequence[int], paces: Sequence[TrialPace], between: Between, *, concurrency: int, devices: float
) -> Rehearsal:
    """Play a sweep: trial `i` runs `lengths[i]` epochs at `paces[i]`, on whichever worker is free first."""
    events: list[tuple[float, float, int, int]] = []
    free = [between.warm_s] * min(concurrency, len(lengths))
    for length, pace in zip(lengths, paces, strict=True):
        at_s = heapq.heappop(free) + pace.start_s
        events.append((at_s, pace.start_s, 0, int(length == 0)))
        for epoch in range(1, length + 1):
            at_s += between.step_s + pace.epoch_s
            events.append((at_s, pace.epoch_s, 1, int(epoch == length)))
        heapq.heappush(free, at_s + between.turn_s)
    at_s_, train_s, epochs, ends = zip(*sorted(events), strict=True)
    return Rehearsal(
        np.array(at_s_), np.array(train_s), np.array(epochs), np.array(ends), devices=devices, concurrency=concurrency
    )
