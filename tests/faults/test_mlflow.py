"""Losing MLflow never stops or slows a sweep, and the data catches up: real sweeps, a real server, a bad proxy."""

import os
import sqlite3
import statistics
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing

import pytest

from orchestrator.sweeps.telling import EXPERIMENT
from orchestrator.tracking import read_runs
from orchestrator.trial import RunStatus
from tests.support.commands import wait_for
from tests.support.mlflow_server import Server
from tests.support.proxy import Mood, Proxy

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(600)]

CAUGHT_UP = "training never waits, the data catches up: one run a trial, each point once"
EPOCH_S = 0.1
EPOCHS = 5
TRIALS = 8
LONGEST_GAP_S = 5.0
"""Between two measurements of a trial. A driver that waits for a request would need 10 s, its time limit."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(server):
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


def sweep_file(orch, **config):
    return orch.file(trials=TRIALS, config={"epochs": EPOCHS, "epoch_s": EPOCH_S, **config})


def started(orch, number):
    """Whether a trial has begun to train."""
    return any(record.number == number and record.measurements for record in orch.records())


def sweep(orch, uri, file=None):
    return orch.start("sweep", file or sweep_file(orch), "--runner", "local", "--tracking-uri", uri, "--json")


def sync(orch, *options):
    """Whatever is left arrives; it may take some tries until a server is up again."""
    answer = orch.run("sync", "toy-1", "--json", *options, timeout=300)
    assert answer.code == 0, answer.out + answer.err
    assert (answer.json["pending"], answer.json["rejected"]) == (0, 0)


def check_nothing_slowed(orch):
    gaps_s = [
        (after.at_ms - before.at_ms) / 1000
        for record in orch.records()
        for before, after in zip(record.measurements, record.measurements[1:], strict=False)
    ]
    assert len(gaps_s) == TRIALS * EPOCHS
    assert max(gaps_s) < LONGEST_GAP_S
    assert statistics.median(gaps_s) < EPOCH_S + 0.5


def check_complete(orch, uri, sweep_id):
    """One run for each trial for life, every point of the ledger exactly once, nothing running."""
    runs = read_runs(sweep_id, experiment=EXPERIMENT, tracking_uri=uri, histories=True)
    records = {record.number: record for record in orch.records()}
    assert Counter(run.trial for run in runs) == Counter([None, *records])
    parent = next(run for run in runs if run.trial is None)
    assert (len(records), parent.status) == (TRIALS, RunStatus.FINISHED)
    for run in runs:
        assert run.end_ms is not None
        if run.trial is not None:
            record = records[run.trial]
            assert (run.parent, run.status) == (parent.run_id, RunStatus.FINISHED)
            assert run.tags["orch.attempt"] == str(record.attempt)
            assert run.tags["orch.state"] == record.state.value
            assert run.histories == expected_histories(record)


def expected_histories(record):
    found = {}
    for m in record.measurements:
        for name, value in {**m.metrics, "time/train_s": m.train_s}.items():
            found.setdefault(name, []).append((m.step, m.at_ms, value))
    best = next(m for m in record.measurements if m.step == record.best_step)
    found["best_value"] = [(best.step, best.at_ms, record.value)]
    return {name: tuple(points) for name, points in found.items()}


BAD = [mood for mood in Mood if mood is not Mood.PASS]


@pytest.mark.fault("MLflow server: {mood.name}", phase="before, amid and at the end of a sweep", outcome=CAUGHT_UP)
@pytest.mark.slow
@pytest.mark.parametrize("mood", BAD, ids=lambda mood: mood.name.lower())
def test_an_mlflow_that_fails_at_each_phase_stops_nothing_and_is_caught_up_with(orch, proxy, mood):
    """It fails before the first run is there, again in the middle, and from the last trial on."""
    proxy.mood = mood
    process = sweep(orch, proxy.uri)
    wait_for(lambda: started(orch, 1), timeout=240)
    proxy.mood = Mood.PASS
    wait_for(lambda: started(orch, 3), timeout=240)
    proxy.mood = mood
    wait_for(lambda: started(orch, 5), timeout=240)
    proxy.mood = Mood.PASS
    wait_for(lambda: started(orch, TRIALS - 1), timeout=240)
    proxy.mood = mood
    done = orch.end(process, timeout=300)
    assert done.code == 0, done.err
    assert done.json["mlflow_pending"] > 0 or mood is Mood.LOSE_REPLY
    check_nothing_slowed(orch)
    proxy.mood = Mood.PASS
    sync(orch)
    check_complete(orch, proxy.uri, done.json["id"])


@pytest.mark.fault("MLflow server away", phase="the whole sweep", outcome=CAUGHT_UP)
def test_a_server_that_is_away_for_the_whole_sweep_is_caught_up_with(orch, proxy):
    proxy.mood = Mood.REFUSE
    done = orch.end(sweep(orch, proxy.uri), timeout=300)
    assert done.code == 0, done.err
    check_nothing_slowed(orch)
    assert orch.run("sync", "toy-1", "--timeout", "1").code == 3
    proxy.mood = Mood.PASS
    sync(orch)
    check_complete(orch, proxy.uri, done.json["id"])


@pytest.mark.fault("MLflow server stopped 60 s", phase="mid-sweep", outcome=CAUGHT_UP)
@pytest.mark.slow
def test_a_server_that_is_stopped_for_a_minute_is_caught_up_with(orch, tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        process = sweep(orch, server.uri)
        wait_for(lambda: started(orch, 2), timeout=240)
        server.stop()
        begin = time.monotonic()
        done = orch.end(process, timeout=300)
        assert done.code == 0, done.err
        time.sleep(max(0.0, 60 - (time.monotonic() - begin)))
        server.start()
        check_nothing_slowed(orch)
        sync(orch)
        check_complete(orch, server.uri, done.json["id"])
    finally:
        server.stop()


@pytest.mark.fault("MLflow database locked {locked_s} s", phase="mid-sweep", outcome=CAUGHT_UP)
@pytest.mark.parametrize("locked_s", [6, pytest.param(30, marks=pytest.mark.slow)])
def test_a_locked_mlflow_database_is_caught_up_with(orch, locked_s):
    database = orch.home / "mlflow.db"
    uri = f"sqlite:///{database}"
    process = sweep(orch, uri)
    wait_for(lambda: started(orch, 2), timeout=240)
    locker = sqlite3.connect(database, isolation_level=None, timeout=60, check_same_thread=False)
    locker.execute("BEGIN EXCLUSIVE")
    unlock = threading.Timer(locked_s, lambda: locker.execute("ROLLBACK"))
    unlock.start()
    done = orch.end(process, timeout=300)
    unlock.join()
    locker.close()
    assert done.code == 0, done.err
    check_nothing_slowed(orch)
    sync(orch)
    check_complete(orch, uri, done.json["id"])


@pytest.mark.fault("outbox locked {locked_s} s", phase="mid-sweep", outcome=CAUGHT_UP)
@pytest.mark.parametrize("locked_s", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_an_outbox_that_another_process_locks_delays_nobody_and_is_made_up_for(orch, locked_s):
    uri = f"sqlite:///{orch.home / 'mlflow.db'}"
    process = sweep(orch, uri)
    wait_for(lambda: started(orch, 2), timeout=240)
    (outbox,) = orch.home.glob("sweeps/*/outbox.db")
    with closing(sqlite3.connect(outbox, isolation_level=None, timeout=60)) as locker:
        locker.execute("BEGIN IMMEDIATE")
        time.sleep(locked_s)
    done = orch.end(process, timeout=300)
    assert done.code == 0, done.err
    check_nothing_slowed(orch)
    sync(orch)
    check_complete(orch, uri, done.json["id"])


@pytest.fixture
def small_disk(orch):
    """The folder of the sweeps on a disk of 16 MB; checkpoints and MLflow are elsewhere."""
    folder = orch.home / "sweeps"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    yield folder
    orch.close()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    """Take all that is left of the disk."""
    with (folder / "filler").open("wb", buffering=0) as filler:
        size = 4096
        while size:
            try:
                filler.write(b"\0" * size)
            except OSError:
                size //= 2


@pytest.mark.fault("disk full on outbox", phase="mid-sweep; space again {ends}", outcome=CAUGHT_UP)
@pytest.mark.parametrize("ends", ["while the sweep runs", "after it has ended"])
def test_a_full_disk_under_the_outbox_stops_nothing_and_is_made_up_for(orch, small_disk, tmp_path, ends):
    uri = f"sqlite:///{orch.home / 'mlflow.db'}"
    process = orch.start(
        *("sweep", sweep_file(orch), "--runner", "local", "--tracking-uri", uri, "--json"),
        *("--storage", tmp_path / "checkpoints"),
    )
    wait_for(lambda: started(orch, 1), timeout=240)
    fill(small_disk)
    wait_for(lambda: started(orch, 4), timeout=240)
    if ends == "while the sweep runs":
        (small_disk / "filler").unlink()
    done = orch.end(process, timeout=300)
    assert done.code == 0, done.err
    check_nothing_slowed(orch)
    if ends == "after it has ended":
        assert done.json["mlflow_pending"] > 0
        (small_disk / "filler").unlink()
        sync(orch)
    sync(orch)
    check_complete(orch, uri, done.json["id"])


def truncate(outbox):
    with outbox.open("r+b") as file:
        file.truncate(outbox.stat().st_size // 2)


def scribble(outbox):
    with outbox.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


@pytest.mark.fault(
    "outbox damaged: {damage.__name__}",
    phase="before `orch {command}`",
    outcome="set aside, all is told again: one run a trial, each point once",
)
@pytest.mark.slow
@pytest.mark.parametrize("damage", [truncate, scribble])
@pytest.mark.parametrize("command", ["resume", "sync"])
def test_a_damaged_outbox_is_set_aside_and_all_is_told_again(orch, damage, command):
    uri = f"sqlite:///{orch.home / 'mlflow.db'}"
    process = sweep(orch, uri)
    wait_for(lambda: started(orch, 3), timeout=240)
    process.kill()
    orch.end(process)
    (outbox,) = orch.home.glob("sweeps/*/outbox.db")
    if command == "sync":
        done = orch.run("resume", "toy-1", "--runner", "local", "--json", timeout=300)
    with closing(sqlite3.connect(outbox)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(outbox)
    if command == "resume":
        done = orch.run("resume", "toy-1", "--runner", "local", "--json", timeout=300)
    assert done.code == 0, done.err
    sync(orch)
    assert outbox.with_name("outbox.damaged-1.db").exists()
    check_complete(orch, uri, done.json["id"])
