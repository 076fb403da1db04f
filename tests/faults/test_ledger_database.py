"""The ledger's database fails in the middle of a sweep: a clean error, nothing lost, and a resume that ends it."""

import os
import sqlite3
import subprocess

import pytest

from orchestrator.errors import BrokenOffError, ExitCode, IntegrityError
from orchestrator.study import database
from orchestrator.sweeps import read
from orchestrator.sweeps.paths import Home
from tests.support.home import House, Lines
from tests.support.no_mlflow import without_mlflow
from tests.support.specs import toy_spec

NUM_PAGES_OF_HEADER = 1


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A home for whole sweeps, with an MLflow that is down."""
    without_mlflow(monkeypatch)
    return House(tmp_path)


def at_measurement(count, act):
    """A watcher that acts once, in the middle of a sweep."""

    def on_event(event):
        if event.kind == "measured" and [e.kind for e in watcher.events].count("measured") == count:
            act()

    watcher = Lines(on_event)
    return watcher


def is_whole(summary, *, trials):
    return summary.counts["complete"] == trials and all(
        [m.step for m in trial.measurements] == [0, 1, 2, 3, 4] for trial in summary.trials
    )


def stored(house):
    """Of each trial, the steps that are stored."""
    return [[m.step for m in trial.measurements] for trial in read.show(house.home, "toy-1").trials]


def breaks_off(house, act, *, match):
    with pytest.raises(BrokenOffError, match=match) as caught:
        house.launch(toy_spec(trials=3), watcher=at_measurement(8, act))
    assert (caught.value.sweep, caught.value.exit_code) == ("toy-1", ExitCode.INFRASTRUCTURE)


@pytest.mark.fault("ledger locked", phase="reporting", outcome="exit 3 with the reason, then a resume ends it")
def test_a_ledger_that_another_process_keeps_locked(house, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    held = []

    def lock():
        held.append(sqlite3.connect(house.home.ledger_file, isolation_level=None))
        held[0].execute("BEGIN IMMEDIATE")

    breaks_off(house, lock, match="another process has kept it locked")
    held[0].close()
    assert read.show(house.home, "toy-1").state == "INTERRUPTED"
    # Eight measurements were acknowledged: five of the first trial, three of the second.
    assert stored(house) == [[0, 1, 2, 3, 4], [0, 1, 2]]
    assert is_whole(house.resume(), trials=3)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault("disk full on ledger", phase="reporting", outcome="exit 3 with the reason, then a resume ends it")
def test_a_full_disk_under_the_ledger(house, small_disk):
    house.home = Home(house.home.root, ledger=f"sqlite:///{small_disk / 'ledger.db'}")
    filler = small_disk / "filler"

    def fill():
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(os.urandom(4096))

    breaks_off(house, fill, match=r"disk/ledger\.db cannot be used: (no space is left on its|its) disk")
    filler.unlink()
    before = stored(house)
    assert before[0] == [0, 1, 2, 3, 4]
    assert before[1][:3] == [0, 1, 2]
    assert is_whole(house.resume(), trials=3)


def cut(file):
    os.truncate(file, file.stat().st_size // 2)


def cut_by_a_little(file):
    os.truncate(file, file.stat().st_size - 4096)


def scramble_header(file):
    with file.open("r+b") as opened:
        opened.write(b"\xff" * 100)


def scramble_pages(file):
    with file.open("r+b") as opened:
        for page in range(NUM_PAGES_OF_HEADER, file.stat().st_size // 4096):
            opened.seek(page * 4096)
            opened.write(b"\xff" * 64)


def empty(file):
    os.truncate(file, 0)


@pytest.mark.fault(
    "ledger damaged: {harm.__name__}", phase="before a resume", outcome="exit 6, names the file, changes nothing"
)
@pytest.mark.parametrize("harm", [cut, cut_by_a_little, scramble_header, scramble_pages, empty])
def test_a_damaged_ledger_is_named_and_left_as_it_is(house, harm):
    house.launch(toy_spec(trials=2), watcher=at_measurement(6, lambda: os.kill(os.getpid(), 2)))
    file = house.home.ledger_file
    harm(file)
    before = file.read_bytes()
    with pytest.raises(IntegrityError, match=rf"{file}.*backup|{file}(.|\n)*backup") as caught:
        house.resume()
    assert caught.value.exit_code == ExitCode.INTEGRITY
    assert file.read_bytes()[100:] == before[100:]


@pytest.mark.fault(
    "ledger emptied", phase="before a launch or a look", outcome="exit 6: no new ledger beside old sweeps"
)
def test_a_damaged_ledger_is_no_ground_for_a_new_one(house):
    house.launch(toy_spec(trials=1))
    empty(house.home.ledger_file)
    with pytest.raises(IntegrityError, match="is empty, and there are sweeps beside it"):
        house.launch(toy_spec(trials=1), sweep_id="id-2")
    with pytest.raises(IntegrityError, match="is empty"):
        read.show(house.home, "toy-1")


@pytest.mark.fault("ledger file left empty by a killed launch", phase="launch", outcome="a new ledger")
def test_a_file_that_a_killed_launch_left_empty_is_a_new_ledger(house):
    house.home.root.mkdir(parents=True)
    house.home.ledger_file.touch()
    assert house.launch(toy_spec(trials=1)).state == "COMPLETE"
