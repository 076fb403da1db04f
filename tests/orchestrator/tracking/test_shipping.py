"""The loop against a store in memory; its process and the real MLflow are in test_shipper.py."""

import sqlite3
import threading
import time
from collections import defaultdict

import pytest

from orchestrator.tracking import shipping as room
from orchestrator.tracking.operations import EndTrial, LogMetrics, SetTags, StartSweep, StartTrial
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.outbox_file import set_aside
from orchestrator.tracking.shipping import Shipping
from orchestrator.trial import RunStatus


class Refused(Exception):
    """Stands for an error that MLflow means."""


class MemoryStore:
    """Takes deltas; `refuse` names metrics that are refused for good, `break_on` run names that always fail."""

    def __init__(self):
        self.made, self.points, self.status = {}, defaultdict(list), {}
        self.refuse, self.break_on, self.down, self.calls, self.looks = set(), set(), False, 0, 0
        self.lose_reply_of_create = self.lost = False
        self.order = []

    def runs(self):
        self._up()
        self.looks += 1
        return dict(self.made)

    def find_above(self):
        return None

    def create(self, number, *, name, start_ms, parent_id):
        self._up()
        assert number not in self.made
        self.made[number] = f"run-{number}"
        if self.lose_reply_of_create:
            self.lose_reply_of_create = False
            raise TimeoutError("no reply")
        return self.made[number]

    def check(self, run_id):
        self._up()
        assert run_id in self.made.values()
        if self.lost:
            raise ConnectionError(f"{run_id} is gone")

    def apply(self, run_id, delta, *, created):
        self._up()
        self.calls += 1
        if run_id in self.break_on:
            raise ConnectionError(f"{run_id} at http://user:secret@host fails")
        if self.lost or any(point.name in self.refuse for point in delta.points):
            raise Refused("bad name")
        self.points[run_id] += [(point.name, point.step) for point in delta.points]
        self.status[run_id] = delta.status or self.status.get(run_id)
        self.order.append(run_id)

    def _up(self):
        if self.down:
            raise ConnectionError("down")


@pytest.fixture
def store(monkeypatch):
    store = MemoryStore()

    def connect(*_):
        store._up()
        return store

    monkeypatch.setattr(room, "connect", connect)
    monkeypatch.setattr(room, "is_permanent", lambda error: isinstance(error, Refused))
    monkeypatch.setattr(room, "_FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(room, "_MAX_BACKOFF_S", 0.04)
    monkeypatch.setattr(room, "_SHORTEST_REST_S", 0.01)
    monkeypatch.setattr(room, "_LONGEST_REST_S", 0.04)
    return store


@pytest.fixture
def outbox(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


class Ship:
    """A loop in a thread; what it reports stays."""

    def __init__(self, outbox, folder):
        self.outbox, self.reports, self.requests = outbox, [], 0
        self.loop = Shipping(
            outbox,
            identity=Identity(sweep="s", sweep_id="id", experiment="e", artifacts=folder),
            tracking_uri="x",
            now_ms=lambda: 0,
            report=self.reports.append,
        )
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    @property
    def error(self):
        return self.reports[-1].error if self.reports else None

    @property
    def num_pending(self):
        return self.outbox.backlog().num_pending

    def flush(self, timeout_s):
        self.requests += 1
        self.loop.flush(self.requests)
        end = time.monotonic() + timeout_s
        while not (self.reports and self.reports[-1].flushed >= self.requests and self.num_pending == 0):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def close(self):
        self.loop.close()
        self.thread.join()


@pytest.fixture
def ship(outbox, tmp_path):
    open_ships = []

    def start(outbox=outbox):
        open_ships.append(Ship(outbox, tmp_path))
        return open_ships[-1]

    yield start
    for made in open_ships:
        made.close()


def start_sweep():
    return StartSweep(name="s", params={}, tags={}, start_ms=1)


def start_trial(number):
    return StartTrial(number=number, name=f"s {number}", params={}, tags={}, start_ms=1)


def point(number, step, name="x"):
    return LogMetrics(number=number, step=step, metrics={name: 1.0}, at_ms=step)


def wait_until(condition, timeout_s=5.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def test_everything_arrives_in_order_with_few_calls(store, outbox, ship):
    end = EndTrial(number=0, status=RunStatus.KILLED, end_ms=9, tags={})
    outbox.append([start_sweep(), start_trial(0), *[point(0, i) for i in range(100)], end], at_ms=1)
    shipper = ship()
    assert shipper.flush(5)
    assert store.points["run-0"] == [("x", i) for i in range(100)]
    assert store.status == {"run-None": RunStatus.RUNNING, "run-0": RunStatus.KILLED}
    assert store.calls == 2
    assert outbox.runs() == {None: "run-None", 0: "run-0"}
    assert shipper.reports[-1].num_shipped == 103


def test_more_than_one_cycle_takes_arrives_as_well(store, outbox, ship, monkeypatch):
    monkeypatch.setattr(room, "_MAX_ENTRIES", 10)
    outbox.append([point(0, i) for i in range(95)], at_ms=1)
    assert ship().flush(5)
    assert store.points["run-0"] == [("x", i) for i in range(95)]


def test_a_store_that_is_down_is_caught_up_with(store, outbox, ship):
    store.down = True
    shipper = ship()
    outbox.append([start_trial(0), point(0, 1)], at_ms=4_000)
    wait_until(lambda: shipper.error is not None)
    assert shipper.error == "ConnectionError: down"
    assert not shipper.flush(0.05)
    store.down = False
    assert shipper.flush(5)
    wait_until(lambda: shipper.error is None)
    assert store.points["run-0"] == [("x", 1)]


def test_a_refused_operation_is_set_aside_and_holds_up_nothing(store, outbox, ship):
    store.refuse = {"bad"}
    outbox.append([start_trial(0), *[point(0, i) for i in range(20)], point(0, 20, "bad"), point(0, 21)], at_ms=1)
    outbox.append([point(1, 0)], at_ms=1)
    shipper = ship()
    assert shipper.flush(5)
    assert sorted(step for _, step in store.points["run-0"]) == [*range(20), 21]
    assert store.points["run-1"] == [("x", 0)]
    assert [(r.operation.step, r.reason) for r in outbox.rejections()] == [(20, "bad name")]
    assert shipper.error is None


def test_a_run_that_always_fails_does_not_hold_up_the_others(store, outbox, ship):
    store.break_on = {"run-0"}
    outbox.append([start_trial(0), start_trial(1), start_trial(2), point(1, 0), point(2, 0)], at_ms=1)
    shipper = ship()
    wait_until(lambda: store.points["run-1"] and store.points["run-2"])
    assert shipper.num_pending == 1
    assert "run-0" in shipper.error
    assert "secret" not in shipper.error
    store.break_on = set()
    assert shipper.flush(5)


def test_a_lost_reply_of_create_makes_no_second_run(store, outbox, ship):
    store.lose_reply_of_create = True
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    assert ship().flush(5)  # MemoryStore.create asserts that the run is new
    assert store.made == {None: "run-None", 0: "run-0"}


def test_a_new_shipper_goes_on_with_the_same_runs(store, outbox, ship):
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    first = ship()
    assert first.flush(5)
    first.close()
    outbox.append([start_sweep(), point(0, 1)], at_ms=2)
    second = ship()
    assert second.flush(5)
    assert store.made == {None: "run-None", 0: "run-0"}


def test_another_store_gets_nothing_by_mistake(store, outbox, ship):
    outbox.remember_run(None, "a run of another store")
    outbox.append([start_trial(0)], at_ms=1)
    shipper = ship()
    wait_until(lambda: shipper.error is not None)
    assert store.made == {}


def test_of_two_shippers_of_one_outbox_one_ships_at_a_time(store, outbox, ship):
    first = ship()
    wait_until(lambda: outbox.path.with_name("outbox.db.lock").exists())
    time.sleep(0.1)
    first.loop._outbox = Outbox(outbox.path.with_name("empty.db"))  # so that what comes is left to the second
    second = ship()
    outbox.append([start_sweep()], at_ms=1)
    assert not second.flush(0.3)
    first.close()
    assert second.flush(5)


def test_a_store_that_was_emptied_gets_nothing_and_loses_nothing(store, outbox, ship):
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    shipper = ship()
    assert shipper.flush(5)
    store.lost = True
    outbox.append([point(0, 1)], at_ms=1)
    wait_until(lambda: shipper.error is not None)
    assert "run-0 is gone" in shipper.error
    assert (shipper.num_pending, outbox.rejections()) == (1, [])


def test_the_parent_is_created_first_even_when_only_a_trial_speaks(store, outbox, ship):
    outbox.append([SetTags(number=4, tags={"a": "b"})], at_ms=1)
    assert ship().flush(5)
    assert list(store.made) == [None, 4]


def test_an_outbox_that_cannot_take_a_run_makes_no_second_one(store, outbox, ship, monkeypatch):
    remember_run, full = outbox.remember_run, [True]

    def remember(number, run_id):
        if full[0]:
            raise sqlite3.OperationalError("database or disk is full")
        remember_run(number, run_id)

    monkeypatch.setattr(outbox, "remember_run", remember)
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    shipper = ship()
    wait_until(lambda: sum(report.error is not None for report in shipper.reports) >= 3)
    assert list(store.made) == [None]
    full[0] = False
    assert shipper.flush(5)  # MemoryStore.create asserts that a run is new
    assert list(store.made) == [None, 0]


def test_runs_are_looked_for_once(store, outbox, ship):
    store.made = {None: "run-None", 1: "run-1"}
    shipper = ship()
    for number in range(4):
        outbox.append([start_trial(number)], at_ms=1)
        assert shipper.flush(5)
    assert (store.looks, outbox.runs()) == (1, {None: "run-None", **{n: f"run-{n}" for n in range(4)}})


def test_runs_that_were_forgotten_are_looked_for_again(store, outbox, ship):
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    shipper = ship()
    assert shipper.flush(5)
    outbox.forget()
    outbox.append([start_sweep(), start_trial(0), point(0, 1)], at_ms=1)
    assert shipper.flush(5)  # MemoryStore.create asserts that the run is new
    assert store.looks == 2


def test_an_outbox_that_was_set_aside_is_gone_over_from(store, outbox, ship):
    """By another process, with an object of its own."""
    reader = Outbox(outbox.path)
    outbox.append([start_sweep(), start_trial(0)], at_ms=1)
    shipper = ship(reader)
    assert shipper.flush(5)
    set_aside(outbox.path)
    outbox.append([start_trial(1)], at_ms=1)
    assert shipper.flush(5)
    assert list(store.made) == [None, 0, 1]
    reader.close()


def test_a_long_cycle_is_followed_by_a_long_rest(store, outbox, ship, monkeypatch):
    """MLflow takes many points at once for less, and it is to cost little of a core."""
    monkeypatch.setattr(room, "_LONGEST_REST_S", 60.0)
    monkeypatch.setattr(room, "_REST_PER_WORK", 1e6)
    shipper = ship()
    wait_until(lambda: shipper.reports)
    outbox.append([start_sweep()], at_ms=1)
    time.sleep(0.2)
    assert shipper.num_pending == 1
    assert shipper.flush(5)
