"""Clocks that move when they are told to: one stands still otherwise, one is the machine's but for its date."""

import time

from orchestrator.execution.clock import Clock


class FakeClock:
    """Starts at 0 s and at a fixed date; `tick_s` is added at each look at the monotonic clock."""

    def __init__(self, *, tick_s: float = 0.0) -> None:
        self._now_s = 0.0
        self._tick_s = tick_s
        self._shift_s = 0.0
        self.clock = Clock(monotonic_s=self._look, now_ms=self._date)

    def advance(self, seconds: float) -> None:
        self._now_s += seconds

    def shift_date(self, seconds: float) -> None:
        """Somebody sets the wall clock; the monotonic one does not notice."""
        self._shift_s += seconds

    @property
    def now_s(self) -> float:
        return self._now_s

    def _look(self) -> float:
        self._now_s += self._tick_s
        return self._now_s

    def _date(self) -> int:
        return 1_700_000_000_000 + int((self._now_s + self._shift_s) * 1000)


class SteppingClock:
    """The machine's own clock, whose date jumps at each `step`; seconds that have passed are still seconds."""

    def __init__(self) -> None:
        self._offset_ms = 0
        self.clock = Clock(now_ms=lambda: time.time_ns() // 1_000_000 + self._offset_ms)

    def step(self, seconds: float) -> None:
        self._offset_ms += int(seconds * 1000)
