"""The row that says who drives a sweep, and the fence that lets nobody else commit."""

from contextlib import closing
from dataclasses import replace

import pytest

from orchestrator.errors import InfrastructureError, LockedError
from orchestrator.study import Lease, Storage, SweepRecord
from orchestrator.trial import Measurement
from tests.support.specs import toy_spec

MINE = Lease("id-1", "a" * 32, "here", "m1", 11, "b1", acquired_ms=1_000, heartbeat_ms=1_000)
THEIRS = replace(MINE, token="b" * 32, host="there", machine="m2", pid=22)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, desk):
    return desk.url if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def storage(url):
    with closing(Storage(url)) as made:
        yield made


@pytest.fixture
def leases(storage):
    with closing(storage.leases()) as made:
        yield made


def create(storage):
    return storage.create(SweepRecord("toy-1", "id-1", toy_spec(), created_ms=0))


def test_a_claim_is_taken_once_renewed_and_given_up(storage, leases):
    assert storage.lease("id-1") is None
    assert leases.take(MINE, replacing=None)
    assert not leases.take(THEIRS, replacing=None)
    assert storage.lease("id-1") == MINE
    assert leases.beat(MINE, now_ms=7_000)
    assert not leases.beat(THEIRS, now_ms=7_000)
    assert storage.lease("id-1") == replace(MINE, heartbeat_ms=7_000, beats=1)
    leases.remove(THEIRS)
    assert storage.lease("id-1") is not None
    leases.remove(MINE)
    assert storage.lease("id-1") is None


def test_a_claim_is_replaced_only_by_who_has_seen_it(storage, leases):
    leases.take(MINE, replacing=None)
    assert not leases.take(THEIRS, replacing=replace(MINE, token="c" * 32))
    assert leases.take(THEIRS, replacing=MINE)
    assert not leases.beat(MINE, now_ms=2_000)
    assert storage.lease("id-1") == THEIRS


def test_a_clock_that_is_turned_changes_nothing(storage, leases):
    leases.take(MINE, replacing=None)
    for now_ms in (-3_600_000, 32_000_000_000_000):
        assert leases.beat(MINE, now_ms=now_ms)
    assert storage.lease("id-1").beats == 2


def test_who_has_the_claim_writes_and_who_has_lost_it_does_not(url, storage, leases):
    ledger = create(storage)
    leases.take(MINE, replacing=None)
    storage.fence.hold(MINE, sweep="toy-1")
    suggestion = ledger.ask()
    ledger.report(suggestion.number, Measurement(0, {"val/score": 0.5}, train_s=0.1, at_ms=1))
    leases.take(THEIRS, replacing=MINE)
    with pytest.raises(LockedError, match="sweep toy-1 was taken over by process 22 on there since"):
        ledger.report(suggestion.number, Measurement(1, {"val/score": 0.6}, train_s=0.1, at_ms=2))
    leases.remove(THEIRS)
    with pytest.raises(LockedError, match="process 22 on there"):
        ledger.ask()
    assert isinstance(storage.failure, LockedError)
    with closing(Storage(url)) as other:
        (record,) = other.open("toy-1").records()
    assert [m.step for m in record.measurements] == [0]


def test_every_kind_of_write_is_fenced(url, storage, leases):
    ledger = create(storage)
    leases.take(MINE, replacing=None)
    storage.fence.hold(MINE, sweep="toy-1")
    suggestion = ledger.ask()
    leases.take(THEIRS, replacing=MINE)
    writes = {
        "ask": ledger.ask,
        "pause": lambda: ledger.pause(suggestion.number),
        "run id": lambda: ledger.set_run_ids({0: "run"}),
        "sweep": lambda: ledger.update_sweep(ledger.sweep),
        "spec": lambda: ledger.replace_spec(ledger.sweep),
        "create": lambda: storage.create(SweepRecord("toy-2", "id-2", toy_spec(), created_ms=0)),
    }
    for name, write in writes.items():
        with pytest.raises(LockedError):
            write()
            pytest.fail(name)
    with closing(Storage(url)) as other:
        assert other.names == ["toy-1"]
        assert len(other.open("toy-1").records()) == 1


def test_a_take_over_waits_for_a_commit_that_has_passed_the_fence(url, storage, leases):
    """On PostgreSQL the look locks the row, on SQLite the writer has the whole file."""
    from threading import Thread

    from sqlalchemy import event

    ledger = create(storage)
    leases.take(MINE, replacing=None)
    storage.fence.hold(MINE, sweep="toy-1")
    order = []
    taker = Thread(target=lambda: order.append(("taken", leases.take(THEIRS, replacing=MINE))))

    def meanwhile(connection):
        if not order and connection.in_transaction():
            order.append("passed")
            taker.start()
            taker.join(0.5)
            order.append("committed" if taker.is_alive() else "overtaken")

    event.listen(storage._rdb.engine, "commit", meanwhile)
    ledger.set_run_ids({0: "run"})
    taker.join()
    assert order == ["passed", "committed", ("taken", True)]


def test_after_an_error_of_the_database_a_driver_writes_no_more(storage, leases):
    ledger = create(storage)
    leases.take(MINE, replacing=None)
    storage.fence.hold(MINE, sweep="toy-1")
    storage.fence.fail(InfrastructureError("the disk was full for a moment"))
    with pytest.raises(InfrastructureError, match="for a moment"):
        ledger.ask()
    storage.fence.let_go()
    assert ledger.records() == []


def test_a_reader_needs_no_claim(storage, leases):
    ledger = create(storage)
    leases.take(THEIRS, replacing=None)
    storage.fence.fail(InfrastructureError("not a driver's"))
    assert storage.failure is None
    assert ledger.records() == []
