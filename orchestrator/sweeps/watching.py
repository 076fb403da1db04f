"""Whoever shows a sweep while it runs, and the guard that keeps what it raises from ending the sweep."""

import contextlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from orchestrator.execution.progress import Event, Progress


class Watcher(Protocol):
    """Whoever shows a sweep while it runs."""

    def event(self, event: Event) -> None:
        """Called for each event, in the driver's thread."""

    def watch(self, progress: Callable[[], Progress]) -> AbstractContextManager[object]:
        """Open while trials run; `progress` may be called from another thread."""

    def say(self, text: str) -> None:
        """A line that is worth reading outside of the table."""


class Guarded:
    """A watcher whose faults cost nothing but what it would have shown: a closed terminal is no reason to stop."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._has_failed = False

    def event(self, event: Event) -> None:
        """Pass it on."""
        with self._guard():
            self._watcher.event(event)

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Open the watcher's own, if it can be; what happens inside is not guarded."""
        opened = ExitStack()
        with self._guard():
            opened.enter_context(self._watcher.watch(progress))
        try:
            yield
        finally:
            with self._guard():
                opened.close()

    def say(self, text: str) -> None:
        """Pass it on."""
        with self._guard():
            self._watcher.say(text)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Let nothing through; only the first fault is shown. `rich` exits where the reader of a pipe has gone."""
        try:
            yield
        except (Exception, SystemExit):
            if not self._has_failed:
                self._has_failed = True
                with contextlib.suppress(OSError):
                    traceback.print_exc()
