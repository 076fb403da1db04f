"""The outbox: a SQLite file of operations in order, so that nothing that was said is lost and nobody waits.

The driver's thread appends, the shipper's thread reads and deletes what has arrived; `orch sync` does the latter in
another process. WAL with synchronous=NORMAL: an append survives the death of the process at any time, a half-written
one is absent. Knows no MLflow.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pydantic import BaseModel, ConfigDict

from orchestrator.tracking.operations import Operation, dump, parse

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, body TEXT NOT NULL, rejected TEXT
);
CREATE TABLE IF NOT EXISTS runs (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS identity (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), body TEXT NOT NULL);
"""
_PARENT = -1  # the parent's key in `runs`


class Identity(BaseModel):
    """Which sweep this is and where in MLflow it belongs.

    Attributes:
        artifacts: folder for artifacts, used for an experiment that is created in a store without a server.
        parent_sweep_id: the sweep under whose run this sweep's run belongs; None for the top.
    """

    model_config = ConfigDict(frozen=True)

    sweep: str
    sweep_id: str
    experiment: str
    artifacts: Path
    parent_sweep_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation and its place in the order."""

    seq: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class Rejection:
    """An operation that MLflow will never take, and why."""

    operation: Operation
    reason: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much has not arrived. `oldest_ms` is when the oldest pending operation was appended."""

    num_pending: int
    num_rejected: int
    oldest_ms: int | None


class Outbox:
    """One file, one connection, safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def append(self, operations: Sequence[Operation], *, at_ms: int) -> None:
        """Add operations in one transaction: all of them or none."""
        rows = [(at_ms, dump(operation)) for operation in operations]
        with self._transaction() as db:
            db.executemany("INSERT INTO operations (at_ms, body) VALUES (?, ?)", rows)

    def pending(self, limit: int) -> list[Entry]:
        """The oldest operations that have neither arrived nor been rejected."""
        query = "SELECT seq, body FROM operations WHERE rejected IS NULL ORDER BY seq LIMIT ?"
        with self._lock:
            rows = self._db.execute(query, (limit,)).fetchall()
        return [Entry(seq, parse(body)) for seq, body in rows]

    def delete(self, entries: Sequence[Entry]) -> None:
        """Forget operations that have arrived."""
        with self._transaction() as db:
            db.executemany("DELETE FROM operations WHERE seq = ?", [(entry.seq,) for entry in entries])

    def reject(self, entry: Entry, reason: str) -> None:
        """Set an operation aside for good."""
        with self._transaction() as db:
            db.execute("UPDATE operations SET rejected = ? WHERE seq = ?", (reason, entry.seq))

    def rejections(self) -> list[Rejection]:
        """What was set aside, oldest first."""
        query = "SELECT body, rejected FROM operations WHERE rejected IS NOT NULL ORDER BY seq"
        with self._lock:
            rows = self._db.execute(query).fetchall()
        return [Rejection(parse(body), reason) for body, reason in rows]

    def backlog(self) -> Backlog:
        """Count what is left; cheap enough for a live table."""
        query = "SELECT COUNT(*) - COUNT(rejected), COUNT(rejected), MIN(at_ms) FILTER (WHERE rejected IS NULL)"
        with self._lock:
            num_pending, num_rejected, oldest_ms = self._db.execute(f"{query} FROM operations").fetchone()
        return Backlog(num_pending, num_rejected, oldest_ms)

    def remember_run(self, number: int | None, run_id: str) -> None:
        """Keep the id of a trial's run, or of the parent's."""
        key = _PARENT if number is None else number
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (key, run_id))

    def runs(self) -> Mapping[int | None, str]:
        """Trial number, or None for the parent, to run id."""
        with self._lock:
            rows = self._db.execute("SELECT number, run_id FROM runs ORDER BY number").fetchall()
        return {None if key == _PARENT else key: run_id for key, run_id in rows}

    def write_identity(self, identity: Identity) -> None:
        """Keep what another process needs to ship this file."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO identity VALUES (0, ?)", (identity.model_dump_json(),))

    def identity(self) -> Identity | None:
        """What `write_identity` kept."""
        with self._lock:
            row = self._db.execute("SELECT body FROM identity").fetchone()
        return Identity.model_validate_json(row[0]) if row else None

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
