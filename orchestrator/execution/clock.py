"""The two clocks that control logic reads, passed in so that tests can turn them."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic_s` for durations, `now_ms` (Unix milliseconds) for records."""

    monotonic_s: Callable[[], float] = time.monotonic
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
