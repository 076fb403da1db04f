"""A guarded watcher shows what it can; what it raises goes no further, and what a sweep raises goes through."""

from contextlib import contextmanager

import pytest

from orchestrator.execution.progress import Event
from orchestrator.sweeps.watching import Guarded
from tests.support.home import Lines

EVENT = Event("started", "trial 0 started")


class Broken:
    """Raises at each call, or at the end of `watch` alone."""

    def __init__(self, error, *, only_at_end=False):
        self.error, self.only_at_end = error, only_at_end

    def event(self, event):
        raise self.error

    @contextmanager
    def watch(self, progress):
        if not self.only_at_end:
            raise self.error
        yield
        raise self.error

    def say(self, text):
        raise self.error


def test_all_is_passed_on():
    lines = Lines()
    watcher = Guarded(lines)
    watcher.say("hello")
    with watcher.watch(lambda: 3):
        watcher.event(EVENT)
    assert (lines.said, lines.events, lines.progress) == (["hello"], [EVENT], [3, 3])


@pytest.mark.parametrize("error", [RuntimeError("broken"), BrokenPipeError(), SystemExit(1)])
@pytest.mark.parametrize("only_at_end", [False, True])
def test_a_fault_is_shown_once_and_goes_no_further(capsys, error, only_at_end):
    watcher, inside = Guarded(Broken(error, only_at_end=only_at_end)), []
    with watcher.watch(lambda: None):
        watcher.event(EVENT)
        watcher.say("hello")
        inside.append(True)
    assert inside == [True]
    assert capsys.readouterr().err.count("Traceback") == 1


def test_what_the_sweep_raises_goes_through():
    with pytest.raises(ValueError, match="of the sweep"), Guarded(Broken(RuntimeError())).watch(lambda: None):
        raise ValueError("of the sweep")
