"""What a driver does when a signal comes: the first one pauses the sweep, a second one ends the process at once.

The ledger survives that, as it survives a kill. Ray puts its own handler of SIGTERM in place when it starts: whoever
has started it calls `pause_with` after that.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WAKE = signal.SIGUSR2
"""Carries an error from another thread to the main one."""


class _Left(BaseException):
    """A signal came before anything ran. No SystemExit: a module that is imported may raise one of its own."""


def _leave(name: str) -> None:
    """Nothing runs yet that could be paused: unwind, so that what is held is given back."""
    raise KeyboardInterrupt if name == signal.SIGINT.name else _Left


@dataclass(slots=True)
class Received:
    """Which signal came first, if any, and what follows from it."""

    number: int | None = None
    _act: Callable[[str], object] = field(default=_leave)

    def pause_with(self, pause: Callable[[str], object]) -> None:
        """From now on, the first signal asks for a pause; one that came before it asks now."""
        self._act = pause
        self.watch()
        if self.number is not None:
            pause(signal.Signals(self.number).name)

    def watch(self) -> None:
        """Put the handlers in place; a SIGHUP that is ignored, as under nohup, stays ignored."""
        for watched in _WATCHED:
            if watched != signal.SIGHUP or signal.getsignal(watched) is not signal.SIG_IGN:
                signal.signal(watched, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _drop_closed_outputs()
        if self.number is not None:
            # A terminal that is closed may say so twice.
            if number == self.number == signal.SIGHUP:
                return
            os._exit(128 + number)
        self.number = number
        self._act(signal.Signals(number).name)


def _drop_closed_outputs() -> None:
    """What is written to a terminal that is gone would be an error in the middle of the pause."""
    for descriptor in (1, 2):
        look = select.poll()
        look.register(descriptor, 0)
        if any(seen & (select.POLLHUP | select.POLLERR) for _, seen in look.poll(0)):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


@contextmanager
def handling_signals() -> Iterator[Received]:
    """While open, signals are handled; before `pause_with` is called, the first one leaves the block."""
    received = Received()
    previous = {watched: signal.getsignal(watched) for watched in _WATCHED}
    received.watch()
    try:
        yield received
    except _Left:
        assert received.number is not None, "a signal was its cause"
        sys.exit(128 + received.number)
    finally:
        for watched, handler in previous.items():
            signal.signal(watched, handler)


@contextmanager
def interruptible() -> Iterator[Callable[[Exception], None]]:
    """Gives another thread a function that raises an error in the main thread, whatever that does at the moment."""
    errors: list[Exception] = []
    main = threading.main_thread().ident
    assert main is not None, "the main thread runs"

    def handle(number: int, frame: FrameType | None) -> None:
        raise errors[-1]

    def interrupt(error: Exception, main: int = main) -> None:
        errors.append(error)
        signal.pthread_kill(main, _WAKE)

    previous = signal.signal(_WAKE, handle)
    try:
        yield interrupt
    finally:
        signal.signal(_WAKE, previous)
