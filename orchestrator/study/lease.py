"""Who drives a sweep: one row in the ledger's database, and the fence that lets nobody else commit.

`sweeps.lock` takes, renews and removes it. Nothing here compares clocks: the times are for people.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from orchestrator.errors import LockedError, OrchError


@dataclass(frozen=True, slots=True)
class Lease:
    """A driver's claim on a sweep.

    Attributes:
        token: drawn anew for each claim; whoever finds another one has lost it.
        machine: an id that two machines with one host name do not share; empty where there is none.
        boot_id: of the machine's last start; empty where it has none.
        acquired_ms, heartbeat_ms: by the holder's clock, to be read by people.
        beats: how often it was renewed.
    """

    sweep_id: str
    token: str
    host: str
    machine: str
    pid: int
    boot_id: str
    acquired_ms: int
    heartbeat_ms: int
    beats: int = 0

    @property
    def words(self) -> str:
        """The holder, for people."""
        since, last = _moment(self.acquired_ms), _moment(self.heartbeat_ms)
        return f"process {self.pid} on {self.host} since {since}, last heartbeat {last}"


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M:%S")


LEASES = Table(
    "orch_leases",
    MetaData(),
    Column("sweep_id", String(64), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("machine", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("acquired_ms", BigInteger, nullable=False),
    Column("heartbeat_ms", BigInteger, nullable=False),
    Column("beats", Integer, nullable=False),
)


def read_lease(connection: Connection, sweep_id: str, *, steady: bool = False) -> Lease | None:
    """The row of a sweep; a `steady` one is not changed by others before this transaction has ended."""
    query = select(LEASES).where(LEASES.c.sweep_id == sweep_id)
    row = connection.execute(query.with_for_update(read=True) if steady else query).one_or_none()
    return None if row is None else Lease(**row._asdict())


class Leases:
    """The table, over an engine of its own: a heartbeat is not held up by its driver's fence."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, sweep_id: str) -> Lease | None:
        """The claim on a sweep; None when nobody has one."""
        with self._engine.connect() as connection:
            return read_lease(connection, sweep_id)

    def take(self, lease: Lease, *, replacing: Lease | None) -> bool:
        """Put a claim where `replacing` stands, or where none stands; False when something else stands there."""
        values = asdict(lease)
        try:
            with self._engine.begin() as connection:
                if replacing is None:
                    connection.execute(insert(LEASES).values(values))
                    return True
                return connection.execute(update(LEASES).where(_is(replacing)).values(values)).rowcount == 1
        except IntegrityError:
            return False

    def beat(self, lease: Lease, *, now_ms: int) -> bool:
        """Renew a claim; False when it is lost. Of a database that does not answer its driver finds out by itself."""
        beats = {"heartbeat_ms": now_ms, "beats": LEASES.c.beats + 1}
        try:
            with self._engine.begin() as connection:
                return connection.execute(update(LEASES).where(_is(lease)).values(beats)).rowcount == 1
        except (SQLAlchemyError, OrchError):
            return True

    def remove(self, lease: Lease) -> None:
        """Give a claim up; one that is lost is left to whoever has it, one that cannot be removed to a dead process."""
        with suppress(SQLAlchemyError, OrchError), self._engine.begin() as connection:
            connection.execute(delete(LEASES).where(_is(lease)))

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()


def _is(lease: Lease) -> ColumnElement[bool]:
    return and_(LEASES.c.sweep_id == lease.sweep_id, LEASES.c.token == lease.token)


class Fence:
    """Stands before each commit of an engine: without the claim, or after an error, nothing is committed any more."""

    def __init__(self, engine: Engine) -> None:
        self._lease: Lease | None = None
        self._sweep = ""
        self.failure: OrchError | None = None
        event.listen(engine, "commit", self._check)

    def hold(self, lease: Lease, *, sweep: str) -> None:
        """From now on, commit only while this claim is ours; `sweep` is its name."""
        self._lease, self._sweep = lease, sweep

    def let_go(self) -> None:
        """Commit as a reader does."""
        self._lease = None

    def fail(self, error: OrchError) -> None:
        """Note the first error of a driver's database: what comes after it must not be stored as if nothing was."""
        if self._lease is not None and self.failure is None:
            self.failure = error

    def lost(self, taker: Lease | None) -> LockedError:
        """Note that the claim is another's; returns the error."""
        by = "another process, which has ended" if taker is None else taker.words
        error = LockedError(f"sweep {self._sweep} was taken over by {by}; this process has stopped")
        self.fail(error)
        return error

    def _check(self, connection: Connection) -> None:
        if self._lease is None:
            return
        if self.failure is not None:
            raise self.failure
        # In the transaction that is about to be committed: nobody can take over between the look and the commit.
        found = read_lease(connection, self._lease.sweep_id, steady=True)
        if found is None or found.token != self._lease.token:
            raise self.lost(found)
