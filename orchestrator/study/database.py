"""How a ledger's database is opened: its URL, what each connection is told, and its errors in words.

Called by `Storage` alone. SQLite writes ahead and syncs at each commit; PostgreSQL is reached again after it was away.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.engine.interfaces import Dialect, ExceptionContext
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from orchestrator.errors import InfrastructureError, IntegrityError, OrchError, UsageError

BUSY_S = 60
"""How long SQLite tries again while another process has the file locked."""
RETRIES_S = (0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8)
"""Pauses before a PostgreSQL that was there is asked again for a connection: about a minute."""
_SERVER = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "tcp_user_timeout": 30_000}
"""A server that was cut off is noticed within half a minute."""
_SETUP_LOCK = 7_236_514_021
"""Number of the PostgreSQL advisory lock under which tables and sweeps are made."""
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_UNABLE = {
    "SQLITE_BUSY": f"another process has kept it locked for {BUSY_S} s",
    "SQLITE_LOCKED": f"another process has kept it locked for {BUSY_S} s",
    "SQLITE_FULL": "no space is left on its disk",
    "SQLITE_IOERR": "its disk cannot be read or written",
    "SQLITE_READONLY": "it may not be written",
    "SQLITE_CANTOPEN": "it cannot be opened",
}


def parse_url(url: str) -> URL:
    """Read a ledger's URL; PostgreSQL without a driver means psycopg, which the extra `postgres` installs.

    Raises:
        UsageError: it is not a database URL.
    """
    try:
        parsed = make_url(url)
    # A port that is not a number is a ValueError.
    except (ArgumentError, ValueError) as error:
        # The text is not shown: it may hold a password.
        forms = "sqlite:///folder/ledger.db and postgresql://user@host/name"
        raise UsageError(f"the ledger's URL cannot be read; the forms are {forms}") from error
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def is_sqlite(url: URL) -> bool:
    """Whether it names a SQLite file, or SQLite in memory."""
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path | None:
    """The file of a SQLite ledger; None for one in memory or on a server."""
    return Path(url.database) if is_sqlite(url) and url.database not in (None, "", ":memory:") else None


def shown(url: URL) -> str:
    """The URL for people, without its password."""
    return url.render_as_string(hide_password=True)


def engine_options(url: URL) -> dict[str, Any]:
    """What `create_engine` needs so that what was committed is on the disk."""
    if is_sqlite(url):
        return {"connect_args": {"timeout": BUSY_S}, "pool_events": [(_tell_sqlite, "connect")]}
    if url.get_driver_name() in ("psycopg", "psycopg2"):
        return {"connect_args": _SERVER, "pool_pre_ping": True, "pool_events": [(_tell_postgres, "connect")]}
    return {"pool_pre_ping": True}


def _tell_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _tell_postgres(connection: Any, _: object) -> None:  # noqa: ANN401
    with connection.cursor() as cursor:
        # A server may be set to acknowledge what is not on its disk yet.
        cursor.execute("SELECT set_config(name, 'on', false) FROM pg_settings WHERE (name, setting) = (%s, %s)",
                       ("synchronous_commit", "off"))  # fmt: skip
    connection.commit()


def connect_again(engine: Engine) -> None:
    """From now on, wait for a server that does not give a connection; before that the first failure is the answer."""
    if is_sqlite(engine.url):
        return

    def connect(dialect: Dialect, _: object, args: Any, params: Any) -> Any:  # noqa: ANN401
        for pause_s in RETRIES_S:
            try:
                return dialect.connect(*args, **params)
            except dialect.loaded_dbapi.Error:
                time.sleep(pause_s)
        return dialect.connect(*args, **params)

    event.listen(engine, "do_connect", connect)


def raise_in_words(engine: Engine, url: URL, *, note: Callable[[OrchError], None]) -> None:
    """Let each error that a person has to know of leave the engine as one of Orch's own, and `note` it."""

    def handle(context: ExceptionContext) -> OrchError | None:
        if context.is_pre_ping:
            return None
        # One that was not even given a connection has none.
        gone = context.is_disconnect or context.connection is None
        if error := in_words(context.original_exception, url, gone=gone):
            note(error)
        return error

    event.listen(engine, "handle_error", handle)


def in_words(error: BaseException, url: URL, *, gone: bool = False) -> OrchError | None:
    """What a driver's error means for a ledger; None where it is an ordinary answer, such as a name that is taken."""
    code = getattr(error, "sqlite_errorname", None)
    if code is not None and code.startswith(_DAMAGED):
        return damaged(url, str(error))
    if code is not None:
        found = next((what for start, what in _UNABLE.items() if code.startswith(start)), None)
        return None if found is None else InfrastructureError(f"the ledger {file_of(url)} cannot be used: {found}")
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    if state.startswith("XX001") or state.startswith("XX002"):
        return IntegrityError(f"the ledger {shown(url)} is damaged: {first_line(error)}\n  put a backup in its place")
    # Class 08 is the connection, 53 resources such as a full disk, 57 an operator, 58 the server's system.
    if gone or (not is_sqlite(url) and state[:2] in ("08", "53", "57", "58")):
        return InfrastructureError(f"the ledger {shown(url)} does not answer: {first_line(error)}")
    return None


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Say in words why a ledger cannot be opened."""
    try:
        yield
    except (SQLAlchemyError, RuntimeError, ImportError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        words = f"cannot open the ledger {shown(url)}: {first_line(cause)}"
        raise in_words(cause, url) or InfrastructureError(words) from error


def damaged(url: URL, what: str) -> IntegrityError:
    """What to do with a file that SQLite cannot read."""
    file = file_of(url)
    return IntegrityError(
        f"the ledger {file} is damaged: {what}\n  keep a copy of it, then put a backup in its place, or save what can "
        f"be read: sqlite3 {file} .recover | sqlite3 recovered.db"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def alone(url: URL) -> Iterator[None]:
    """Let one process at a time make tables or a sweep: two at once break each other."""
    path = file_of(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
    elif url.get_backend_name() == "postgresql":
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _SETUP_LOCK})
            yield
    else:
        yield
