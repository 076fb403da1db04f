"""How many lanes a bundle gets: a fixed number, or as many as make a trial's epoch cheapest on these machines.

Nothing is trained for the sake of measuring: the first trials run alone, then a few together, then more, as long as
the seconds per trial and epoch fall and the memory lasts.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

import psutil

from orchestrator.execution.assignment import Measured

SIZES = (1, 4, 16, 64)
"""What `auto` tries, in this order."""
ENOUGH = 3
"""Epochs of a size that are measured before it is judged."""
GAIN = 0.9
"""A size is worth it if an epoch takes at most this share of the time that the best smaller one takes."""
MEMORY_SHARE = 0.5
"""Of the host's memory that is free, what the lanes of one worker may take."""


class LaneCount:
    """The size of the next bundle."""

    def __init__(self, fuse: int | Literal["auto"], *, say: Callable[[str], None]) -> None:
        self._size = SIZES[0] if fuse == "auto" else fuse
        self._is_settled = fuse != "auto"
        self._say = say
        self._seen_s: list[float] = []
        self._epoch_s: dict[int, float] = {}
        self._peaks: dict[int, int] = {}

    def next(self) -> int:
        """How many lanes the next bundle gets."""
        return self._size

    def saw(self, measured: Sequence[Measured], *, num_lanes: int) -> None:
        """Epochs of a bundle of so many lanes; those of another size than the one that is tried are not used."""
        if self._is_settled or num_lanes != self._size or not measured:
            return
        # What an epoch costs shows from the second one on: the first one warms up.
        self._seen_s += [outcome.train_s for outcome in measured if outcome.step > 1]
        self._peaks[num_lanes] = max([self._peaks.get(num_lanes, 0), *(outcome.host_bytes for outcome in measured)])
        if len(self._seen_s) >= ENOUGH:
            self._epoch_s[num_lanes], self._seen_s = statistics.median(self._seen_s), []
            self._judge(num_lanes)

    def _judge(self, size: int) -> None:
        """Try the next size, or settle."""
        times_s = self._epoch_s
        best = min((n for n in times_s if n < size), key=times_s.__getitem__, default=None)
        paid = best is None or times_s[size] <= GAIN * times_s[best]
        larger = SIZES[SIZES.index(size) + 1 :]
        if paid and larger and self._fits(larger[0], size):
            self._size = larger[0]
            return
        self._is_settled = True
        self._size = size if paid or best is None else best
        gain = times_s[SIZES[0]] / times_s[self._size]
        what = "trains trials alone" if self._size == 1 else f"fuses {self._size} trials: {gain:.1f} times as fast"
        told = ", ".join(f"{n} {'lane' if n == 1 else 'lanes'} {time_s:.3g} s" for n, time_s in times_s.items())
        self._say(f"{what} (an epoch of a trial: {told})")

    def _fits(self, larger: int, size: int) -> bool:
        """Whether so many lanes are likely to have the memory, going by what the last ones took."""
        alone = self._peaks.get(1, 0)
        a_lane = max(0, self._peaks.get(size, 0) - alone) / max(1, size - 1)
        return a_lane * (larger - size) < MEMORY_SHARE * psutil.virtual_memory().available
