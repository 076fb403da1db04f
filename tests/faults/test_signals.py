"""Signals at each phase of a drive: one pauses, ships and tells the command that goes on; a second one ends at once."""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from orchestrator.study import SweepState
from orchestrator.sweeps import read
from orchestrator.sweeps.paths import Home
from tests.conftest import ROOT
from tests.support.commands import wait_for

LOCAL = ("--runner", "local")
PATIENCE_S = 240
"""Other tests may keep this machine busy."""
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("hears_hangups")]
LONG = {"epochs": 900, "epoch_s": 0.3}
NOWHERE = "http://127.0.0.1:9"


def state(orch):
    return read.show(Home(orch.home), "toy-1").sweep.state


def is_claimed(orch):
    with sqlite3.connect(orch.home / "ledger.db") as ledger:
        return bool(ledger.execute("select count(*) from orch_leases").fetchone()[0])


def resume_command(err):
    (line,) = [line for line in err.splitlines() if line.startswith("  resume")]
    return line.split("orch ", 1)[1].split()


@pytest.mark.fault("SIGHUP", phase="mid-trial, the terminal is gone", outcome="exit 129, PAUSED, the lease given back")
@pytest.mark.slow
def test_a_closed_terminal_pauses_the_sweep(orch):
    """SIGHUP: the terminal is gone, and nothing that is written to it is an error."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "ORCH_HOME": str(orch.home), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [sys.executable, "-m", "orchestrator", "sweep", str(orch.file(trials=1, config=LONG)), *LOCAL]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    try:
        os.close(theirs)
        os.set_blocking(ours, False)
        wait_for(lambda: drain(ours) and orch.num_measured() > 1, what="a measurement", timeout=PATIENCE_S)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE_S) == 129
    finally:
        process.kill()
        process.wait()
    assert state(orch) is SweepState.PAUSED
    assert not is_claimed(orch)


def drain(terminal):
    with suppress(BlockingIOError):
        os.read(terminal, 1_000_000)
    return True


@pytest.mark.fault("SIGHUP twice", phase="mid-trial", outcome="exit 129, PAUSED, prints the resume command")
@pytest.mark.slow
def test_a_hangup_pauses_and_the_printed_command_goes_on(orch):
    process = orch.start("sweep", orch.file(trials=1, config=LONG), *LOCAL)
    wait_for(lambda: orch.num_measured() > 1, what="a measurement", timeout=PATIENCE_S)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    done = orch.end(process, timeout=PATIENCE_S)
    assert done.code == 129, done.err
    assert "paused (SIGHUP)" in done.err
    assert resume_command(done.err)[:2] == ["resume", "toy-1"]
    assert not is_claimed(orch)


@pytest.mark.fault("SIGHUP under nohup", phase="mid-trial", outcome="not heard, the sweep ends")
@pytest.mark.slow
def test_under_nohup_a_hangup_is_not_heard(orch):
    file = orch.file(trials=1, config={"epochs": 12, "epoch_s": 0.3})
    script = "trap '' HUP; exec \"$@\""
    environment = {**os.environ, "ORCH_HOME": str(orch.home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", sys.executable, "-m", "orchestrator", "sweep", str(file), *LOCAL, "--quiet"],
        cwd=ROOT,
        env=environment,
    )
    try:
        wait_for(lambda: orch.num_measured() > 1, what="a measurement", timeout=PATIENCE_S)
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert state(orch) is SweepState.COMPLETE


@pytest.mark.fault("{number.name} twice", phase="mid-epoch", outcome="exits at once, nothing that was stored is lost")
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_and_loses_nothing(orch, number):
    process = orch.start("sweep", orch.file(trials=1, config={"epochs": 900, "epoch_s": 20}), *LOCAL)
    wait_for(lambda: orch.num_measured() > 0, what="a measurement", timeout=PATIENCE_S)
    process.send_signal(number)
    # The epoch of 20 s goes on; a pause would wait for it.
    time.sleep(0.5)
    process.send_signal(number)
    began_s = time.monotonic()
    assert orch.end(process, timeout=PATIENCE_S).code == 128 + number
    assert time.monotonic() - began_s < 15
    before = orch.records()
    again = orch.start("resume", "toy-1", *LOCAL)
    wait_for(lambda: orch.records()[0].attempt == 2, what="the next attempt", timeout=PATIENCE_S)
    again.kill()
    orch.end(again, timeout=PATIENCE_S)
    assert orch.records()[0].measurements == before[0].measurements


@pytest.mark.fault("SIGTERM", phase="resuming", outcome="exit 143, the lease given back")
@pytest.mark.slow
def test_a_signal_while_a_sweep_resumes_gives_back_what_is_held(orch):
    """Before anything runs there is nothing to pause."""
    process = orch.start("sweep", orch.file(trials=1, config=LONG), *LOCAL)
    wait_for(lambda: orch.num_measured() > 1, what="a measurement", timeout=PATIENCE_S)
    process.send_signal(signal.SIGTERM)
    assert orch.end(process, timeout=PATIENCE_S).code == 143
    process = orch.start("resume", "toy-1")
    wait_for(lambda: is_claimed(orch), what="the claim", timeout=PATIENCE_S)
    process.send_signal(signal.SIGTERM)
    done = orch.end(process, timeout=PATIENCE_S)
    assert done.code in (143, 15), done.err
    assert "Traceback" not in done.err
    assert not is_claimed(orch)
