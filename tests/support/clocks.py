"""A clock that moves only when it is told to."""

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
