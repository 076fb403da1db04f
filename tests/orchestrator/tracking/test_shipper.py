"""The real process: a SQLite store of MLflow, its death, and the end of its driver."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.tracking import shipper as room
from orchestrator.tracking.operations import EndSweep, LogMetrics, StartSweep, StartTrial
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.reading import read_runs
from orchestrator.tracking.shipper import Shipper
from orchestrator.trial import RunStatus
from tests.support.no_mlflow import ERROR, without_mlflow

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(120)]


def identity(folder):
    return Identity(sweep="s", sweep_id="id", experiment="e", artifacts=folder / "artifacts")


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


@pytest.fixture
def shipper(tmp_path, outbox):
    shipper = Shipper(f"sqlite:///{tmp_path}/home/mlflow.db", now_ms=lambda: 10_000)
    yield shipper
    shipper.close()


def starts():
    start = StartTrial(number=0, name="s 0", params={}, tags={}, start_ms=1)
    return [StartSweep(name="s", params={}, tags={}, start_ms=1), start]


def point(step):
    return LogMetrics(number=0, step=step, metrics={"x": 1.0}, at_ms=step)


def wait_until(condition, timeout_s=60.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def points(folder):
    runs = read_runs("id", experiment="e", tracking_uri=f"sqlite:///{folder}/home/mlflow.db", histories=True)
    return {run.trial: [step for step, _, _ in run.histories.get("x", ())] for run in runs}


def test_what_is_appended_arrives(shipper, outbox, tmp_path):
    outbox.append(starts(), at_ms=4_000)
    shipper.begin(outbox, identity(tmp_path))
    assert shipper.flush(60)
    assert (shipper.num_shipped, shipper.last_error, set(shipper.run_ids())) == (2, None, {None, 0})
    outbox.append([point(1), EndSweep(status=RunStatus.FINISHED, end_ms=9, tags={})], at_ms=4_000)
    assert shipper.flush(60)
    assert (shipper.num_shipped, shipper.lag.num_pending) == (4, 0)
    assert points(tmp_path) == {None: [], 0: [1]}


def test_a_process_that_is_killed_is_started_again_and_nothing_is_lost(shipper, outbox, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_FIRST_BACKOFF_S", 0.01)
    outbox.append(starts(), at_ms=1)
    shipper.begin(outbox, identity(tmp_path))
    assert shipper.flush(60)
    shipper._process.kill()
    wait_until(lambda: shipper.last_error is not None)
    assert "ended with code -9" in shipper.last_error
    outbox.append([point(1)], at_ms=1)
    assert shipper.flush(60)
    assert (shipper.num_shipped, shipper.last_error) == (3, None)
    assert points(tmp_path) == {None: [], 0: [1]}


def test_what_a_broken_process_said_last_is_the_error(tmp_path, outbox, monkeypatch):
    script = "raise SystemExit('no mlflow at http://me:secret@host')"
    monkeypatch.setattr(room, "COMMAND", (sys.executable, "-c", script))
    shipper = Shipper("x", now_ms=lambda: 0)
    wait_until(lambda: shipper.last_error is not None)
    assert shipper.last_error == ("the process that ships to MLflow ended with code 1: no mlflow at http://***@host")
    shipper.begin(outbox, identity(tmp_path))
    began_s = time.monotonic()
    assert not shipper.flush(0.05)
    assert time.monotonic() - began_s < 5
    shipper.close()


def test_one_that_never_begins_leaves_nothing_and_is_not_waited_for(tmp_path):
    shipper = Shipper(f"sqlite:///{tmp_path}/home/mlflow.db", now_ms=lambda: 0)
    folder, began_s = shipper._place.folder, time.monotonic()
    shipper.close()
    assert time.monotonic() - began_s < 1
    assert (list(tmp_path.iterdir()), folder.exists()) == ([], False)
    shipper.close()


def test_one_that_hangs_is_killed(tmp_path, outbox, monkeypatch):
    monkeypatch.setattr(room, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    shipper = Shipper("x", now_ms=lambda: 0)
    shipper.begin(outbox, identity(tmp_path))
    wait_until(lambda: shipper._process is not None)
    shipper.close(timeout_s=0.1)
    assert shipper._process.poll() == -signal.SIGKILL


def test_the_lag_is_counted_in_the_outbox(tmp_path, outbox, monkeypatch):
    without_mlflow(monkeypatch)
    shipper = Shipper("x", now_ms=lambda: 10_000)
    outbox.append(starts(), at_ms=4_000)
    shipper.begin(outbox, identity(tmp_path))
    assert (shipper.lag.num_pending, shipper.lag.oldest_s) == (2, 6.0)
    wait_until(lambda: shipper.last_error == ERROR)

    def full():
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(outbox, "backlog", full)
    assert shipper.lag.num_pending == 2
    shipper.close()


def test_the_process_ends_with_a_driver_that_was_killed(tmp_path):
    script = f"""
import time
from pathlib import Path
from orchestrator.tracking import Identity, Shipper
from orchestrator.tracking.outbox import Outbox
shipper = Shipper("sqlite:///{tmp_path}/home/mlflow.db", now_ms=lambda: 0)
shipper.begin(Outbox(Path("{tmp_path}/outbox.db")), Identity(sweep="s", sweep_id="i", experiment="e", artifacts="."))
print(shipper._process.pid, flush=True)
time.sleep(600)
"""
    driver = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    shipping = psutil.Process(int(driver.stdout.readline()))
    wait_until((tmp_path / "outbox.db.lock").exists)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    shipping.wait(30)
