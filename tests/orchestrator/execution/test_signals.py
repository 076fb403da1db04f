"""A signal before anything runs ends the command with its own code, whatever is imported at that moment."""

import os
import signal

import pytest

from orchestrator.execution.signals import handling_signals

pytestmark = pytest.mark.usefixtures("hears_hangups")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_module_that_is_imported_is_not_taken_for_the_one_that_exits(number):
    """Whoever imports a person's module holds any SystemExit for its own."""
    with pytest.raises(SystemExit) as end, handling_signals():
        try:
            os.kill(os.getpid(), number)
        except (Exception, SystemExit):
            pytest.fail("the signal was taken for an error of the module")
    assert end.value.code == 128 + number


def test_an_interrupt_stays_one():
    with pytest.raises(KeyboardInterrupt), handling_signals():
        os.kill(os.getpid(), signal.SIGINT)
