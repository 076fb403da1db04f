"""What each connection to a ledger is told, and what its errors are called."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from orchestrator.errors import InfrastructureError, IntegrityError
from orchestrator.study import SweepRecord, database
from orchestrator.study.database import in_words, parse_url
from tests.support.specs import toy_spec


def test_every_connection_writes_ahead_and_syncs(desk):
    storage = desk.storage()
    with storage._rdb.engine.connect() as one, storage._rdb.engine.connect() as other:
        for connection in (one, other):
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_plain_postgresql_url_means_the_driver_of_the_extra():
    assert parse_url("postgresql://me@host/name").drivername == "postgresql+psycopg"
    assert parse_url("postgresql+psycopg2://me@host/name").drivername == "postgresql+psycopg2"


def test_a_ledger_that_is_locked_for_a_while_is_waited_for(desk):
    storage = desk.storage()
    with closing(sqlite3.connect(desk.folder / "ledger.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.5, lambda: other.execute("COMMIT")).start()
        began_s = time.monotonic()
        storage.create(SweepRecord("toy-1", "id", toy_spec(), created_ms=0))
        assert time.monotonic() - began_s > 0.4
    assert storage.names == ["toy-1"]


def test_a_ledger_that_stays_locked_is_said_to_be(desk, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    storage = desk.storage()
    with closing(sqlite3.connect(desk.folder / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfrastructureError, match=r"ledger\.db cannot be used: another process has kept it locked"):
            storage.create(SweepRecord("toy-1", "id", toy_spec(), created_ms=0))


def sqlite_error(name):
    error = sqlite3.OperationalError("no luck")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("SQLITE_FULL", InfrastructureError, "no space is left"),
        ("SQLITE_IOERR_WRITE", InfrastructureError, "cannot be read or written"),
        ("SQLITE_READONLY_DBMOVED", InfrastructureError, "may not be written"),
        ("SQLITE_CORRUPT_INDEX", IntegrityError, r"damaged[^;]*\n.*backup"),
        ("SQLITE_NOTADB", IntegrityError, r"damaged[^;]*\n.*recover"),
    ],
)
def test_errors_are_named_with_the_file_and_what_to_do(name, kind, words):
    found = in_words(sqlite_error(name), make_url("sqlite:///some/ledger.db"))
    assert isinstance(found, kind)
    with pytest.raises(kind, match=words):
        raise found
    assert "some/ledger.db" in str(found)


@pytest.mark.parametrize("name", ["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_ERROR"])
def test_an_ordinary_answer_stays_one(name):
    assert in_words(sqlite_error(name), make_url("sqlite:///some/ledger.db")) is None
