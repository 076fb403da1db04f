"""One driver at a time: the lock file on one machine, the row between machines and homes."""

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest

from orchestrator.errors import LockedError
from orchestrator.execution.clock import Clock
from orchestrator.study import SweepRecord
from orchestrator.sweeps import lock
from orchestrator.sweeps.lock import driver_of, driving
from orchestrator.sweeps.paths import Home
from tests.conftest import ROOT
from tests.support.specs import toy_spec

HOLD = """
import sys, time
from contextlib import closing
from pathlib import Path
from orchestrator.execution.clock import Clock
from orchestrator.study import Storage
from orchestrator.sweeps.lock import driving
from orchestrator.sweeps.paths import Home
home = Home(Path(sys.argv[1]), ledger=sys.argv[2])
with closing(Storage(home.ledger_url)) as storage:
    record = storage.find("toy-1")
    with driving(storage, record, home.sweep(record.id), clock=Clock()):
        print("held", flush=True)
        time.sleep(60)
"""


class Place:
    """A ledger with one sweep, and a home."""

    def __init__(self, desk, name="home"):
        self.home = Home(desk.folder / name, ledger=desk.url)
        self.storage = desk.storage()
        self.paths = self.home.sweep("id-1")

    @property
    def record(self):
        return self.storage.find("toy-1")

    def driving(self, **options):
        return driving(self.storage, self.record, self.paths, clock=Clock(), **options)

    @property
    def driver(self):
        return driver_of(self.storage, self.record, self.paths)

    def holding(self):
        """Another process that drives it."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.home.root), self.home.ledger_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "held\n"
        return process

    def lease_of(self, **changes):
        """A row as another driver would have left it."""
        with self.driving():
            held = self.storage.lease("id-1")
        with closing(self.storage.leases()) as leases:
            assert leases.take(replace(held, **{"token": "f" * 32, **changes}), replacing=None)


@pytest.fixture
def place(desk):
    desk.storage().create(SweepRecord("toy-1", "id-1", toy_spec(), created_ms=0))
    return Place(desk)


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_lock_names_its_holder_and_is_free_afterwards(place, desk):
    assert place.driver is None
    with place.driving():
        assert place.driver.words.startswith(f"process {os.getpid()} on ")
        assert "last heartbeat" in place.driver.words
        assert place.driver.is_here
        with (
            pytest.raises(LockedError, match=rf"toy-1 is driven by process {os.getpid()} on .*\n.*orch stop toy-1"),
            Place(desk).driving(),
        ):
            pass
    assert place.driver is None
    assert place.storage.lease("id-1") is None
    with place.driving():
        pass


def test_a_driver_that_was_killed_holds_nothing(place):
    process = place.holding()
    assert place.driver.words.startswith(f"process {process.pid} on ")
    end(process)
    assert place.driver is None
    assert place.storage.lease("id-1") is not None
    with place.driving():
        assert place.storage.lease("id-1").pid == os.getpid()


def test_another_home_with_the_same_ledger_sees_the_driver_and_its_death(place, desk):
    other = Place(desk, "other")
    process = place.holding()
    assert other.driver.words.startswith(f"process {process.pid} on ")
    assert not other.driver.is_here
    with pytest.raises(LockedError, match=f"process {process.pid} on .*\n.*--take-over"), other.driving():
        pass
    end(process)
    assert other.driver is None
    with other.driving():
        assert other.driver.is_here


@pytest.mark.parametrize(
    ("changes", "is_replaced"),
    [
        ({"boot_id": "an earlier start"}, True),
        ({"pid": 2**22 + 1}, True),
        ({"pid": os.getpid()}, False),
        ({"host": "elsewhere"}, False),
        ({"machine": "elsewhere", "boot_id": "another"}, False),
        ({"machine": "elsewhere", "pid": 2**22 + 1, "heartbeat_ms": 0}, False),
    ],
)
def test_a_row_is_replaced_only_where_its_holder_is_known_to_be_dead(place, changes, is_replaced):
    place.lease_of(**changes)
    assert (place.driver is None) == is_replaced
    if is_replaced:
        with place.driving():
            pass
        assert place.storage.lease("id-1") is None
        return
    with pytest.raises(LockedError, match="its end cannot be seen from here"), place.driving():
        pass
    assert place.storage.lease("id-1").token == "f" * 32
    with place.driving(take_over=True):
        assert place.storage.lease("id-1").pid == os.getpid()


def test_who_is_taken_over_is_interrupted_and_names_the_other(place, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_S", 0.05)
    began_s = time.monotonic()
    with (
        pytest.raises(LockedError, match=r"toy-1 was taken over by process 22 on there since .*has stopped"),
        closing(place.storage.leases()) as leases,
        place.driving(),
    ):
        held = place.storage.lease("id-1")
        assert leases.take(replace(held, token="f" * 32, host="there", pid=22), replacing=held)
        time.sleep(60)
    assert time.monotonic() - began_s < 30
    assert isinstance(place.storage.failure, LockedError)
    assert place.storage.lease("id-1").pid == 22


def test_a_take_over_on_one_machine_waits_for_the_end_of_the_other(place, desk, monkeypatch):
    monkeypatch.setattr(lock, "LET_GO_S", 0.2)
    process = place.holding()
    with (
        pytest.raises(LockedError, match=rf"has not ended in 0.2 s\n.*kill -9 {process.pid}; orch resume toy-1"),
        place.driving(take_over=True),
    ):
        pass
    assert place.storage.lease("id-1") is None, "nobody may write: the other has lost it, this one gave up"
    monkeypatch.setattr(lock, "LET_GO_S", 60.0)
    # The other notices with its next heartbeat.
    with place.driving(take_over=True):
        assert place.storage.lease("id-1").pid == os.getpid()
    assert process.wait(30) != 0
    process.stdout.close()


def test_a_lock_file_that_was_torn_is_no_fault(place):
    with place.driving():
        place.paths.lock.write_text('{"host": "n')
        assert place.driver.words.startswith("process None")
    with place.driving():
        assert json.loads(place.paths.lock.read_text())["pid"] == os.getpid()
