"""The outbox: a SQLite file of operations in order, so that nothing that was said is lost and nobody waits.

The driver appends, the shipper's process reads and deletes what has arrived. With the operations stands what
they tell of the sweep, as facts that stay: what the ledger has and no fact knows was never said. WAL with
synchronous=NORMAL: an append survives the death of the process at any time, a half-written one is absent.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestrator.tracking.operations import Operation, dump, parse
from orchestrator.tracking.outbox_file import DamagedError, file_id, is_damage, open_sound, seal, set_aside, unseal

_PARENT = -1  # the parent's key in `runs`
_COUNT = (
    "SELECT COUNT(*) - COUNT(rejected), COUNT(rejected), MIN(at_ms) FILTER (WHERE rejected IS NULL) FROM operations"
)


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
    """One file, one connection, safe to use from several threads; and from several processes, one object each.

    The file is opened when it is first needed. One that turns out to be damaged is set aside, and the next call begins
    a new one, which has no facts yet; another process that still has the old one open goes over to the new one.

    Raises: sqlite3.Error, OSError, DamagedError: from every method, when the file cannot be read or written now.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def append(self, operations: Sequence[Operation], *, at_ms: int, facts: Collection[str] = ()) -> None:
        """Add operations, and the facts that they tell, in one transaction: all of them or none."""
        rows = [(at_ms, seal(dump(operation))) for operation in operations]
        with self._transaction() as db:
            db.executemany("INSERT INTO operations (at_ms, body) VALUES (?, ?)", rows)
            db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(fact,) for fact in facts])

    def facts(self) -> frozenset[str]:
        """All that was ever told."""
        with self._connection() as db:
            return frozenset(fact for (fact,) in db.execute("SELECT fact FROM told"))

    def forget(self) -> None:
        """Drop what is known of facts and runs: all is to be told anew, and the runs are to be looked for."""
        with self._transaction() as db:
            db.execute("DELETE FROM told")
            db.execute("DELETE FROM runs")

    def pending(self, limit: int) -> list[Entry]:
        """The oldest operations that have neither arrived nor been rejected."""
        query = "SELECT seq, body FROM operations WHERE rejected IS NULL ORDER BY seq LIMIT ?"
        with self._connection() as db:
            rows = [(seq, unseal(body)) for seq, body in db.execute(query, (limit,))]
        try:
            return [Entry(seq, parse(body)) for seq, body in rows]
        except ValidationError as error:
            # Written by another version.
            with self._connection():
                raise DamagedError(f"the outbox holds what is no operation: {error}") from error

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
        with self._connection() as db:
            rows = [(unseal(body), reason) for body, reason in db.execute(query)]
        return [Rejection(parse(body), reason) for body, reason in rows]

    def backlog(self) -> Backlog:
        """Count what is left; cheap enough for a live table."""
        with self._connection() as db:
            return Backlog(*db.execute(_COUNT).fetchone())

    def remember_run(self, number: int | None, run_id: str) -> None:
        """Keep the id of a trial's run, or of the parent's."""
        key = _PARENT if number is None else number
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (key, seal(run_id)))

    def runs(self) -> Mapping[int | None, str]:
        """Trial number, or None for the parent, to run id."""
        with self._connection() as db:
            rows = db.execute("SELECT number, run_id FROM runs ORDER BY number").fetchall()
            return {None if key == _PARENT else key: unseal(run_id) for key, run_id in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._file != file_id(self.path):  # set aside by another process, or removed
                self._drop()
            try:
                if self._db is None:
                    self._db = open_sound(self.path)
                    self._file = file_id(self.path)
                yield self._db
            except (sqlite3.Error, DamagedError) as error:
                if self._db is not None and is_damage(error):
                    self._drop()
                    if self._file == file_id(self.path):
                        set_aside(self.path)
                raise

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite has rolled back already when the disk is full
                    db.execute("ROLLBACK")
                raise


def num_pending(path: Path) -> int:
    """How many operations of a sweep MLflow has not got yet; 0 where no outbox can be read. Changes nothing."""
    return backlog_of(path).num_pending


def backlog_of(path: Path) -> Backlog:
    """What is left in an outbox; nothing where none can be read. Changes nothing."""
    if not path.is_file():
        return Backlog(0, 0, None)
    # A reader of a file with a log beside it leaves its own files there; without one there is nothing to wait for.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as db:
            return Backlog(*db.execute(_COUNT).fetchone())
    except sqlite3.Error:
        return Backlog(0, 0, None)
