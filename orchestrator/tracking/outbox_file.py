"""The outbox's file: opened, checked, and set aside under another name when it is damaged. Called by `Outbox` alone.

SQLite notices a page that is out of order, but no wrong character in a text; so each text is stored with a checksum.
"""

import sqlite3
from itertools import count
from pathlib import Path
from zlib import crc32

BUSY_S = 0.25
"""The longest wait for a file that another process has locked: the driver waits as well. The shipping process locks it
for milliseconds at a time, which a full machine makes longer."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, body TEXT NOT NULL, rejected TEXT
);
CREATE TABLE IF NOT EXISTS runs (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS told (fact TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DamagedError(Exception):
    """What the file holds is not what was written."""


def open_sound(path: Path) -> sqlite3.Connection:
    """Open the file; a damaged one is set aside and a new one begun."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _open(path)
    except (sqlite3.Error, DamagedError) as error:
        if not is_damage(error):
            raise
    set_aside(path)
    return _open(path)


def is_damage(error: Exception) -> bool:
    """Whether the file is at fault, not a full disk or another process."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
    return isinstance(error, DamagedError)


def file_id(path: Path) -> tuple[int, int] | None:
    """Which file stands under this name; None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: Path) -> None:
    """Rename the file and what SQLite keeps beside it: `outbox.db` becomes `outbox.damaged-1.db`, or the next."""
    names = (path.with_name(f"{path.stem}.damaged-{n}{path.suffix}") for n in count(1))
    target = next(name for name in names if not name.exists())
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(target.with_name(target.name + ending))


def seal(text: str) -> str:
    """The text behind its checksum."""
    return f"{crc32(text.encode()):08x} {text}"


def unseal(sealed: str) -> str:
    """The text that `seal` was given.

    Raises: DamagedError
    """
    checksum, _, text = sealed.partition(" ")
    if checksum != f"{crc32(text.encode()):08x}":
        raise DamagedError(f"a text in the outbox has changed since it was written: {text[:80]!r}")
    return text


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    db.text_factory = lambda text: text.decode(errors="replace")  # a wrong byte is for the checksum to find
    try:
        db.execute("PRAGMA journal_mode=WAL")
        # Not FULL: what a power cut takes from here is still in the ledger, and not among what was told.
        db.execute("PRAGMA synchronous=NORMAL")
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedError(found)
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db
