"""SIGINT and SIGTERM pause a sweep; a second one ends the process at once, which the ledger survives."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from orchestrator.execution.control import SweepControl

_WATCHED = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Received:
    """Which signal came, if any."""

    number: int | None = None


@contextmanager
def pausing_on_signals(control: SweepControl) -> Iterator[Received]:
    """While open, the first signal asks the control to pause."""
    received = Received()

    def handle(number: int, frame: FrameType | None) -> None:
        if received.number is not None:
            os._exit(128 + number)
        received.number = number
        control.request_pause(signal.Signals(number).name)

    previous = {watched: signal.signal(watched, handle) for watched in _WATCHED}
    try:
        yield received
    finally:
        for watched, handler in previous.items():
            signal.signal(watched, handler)
