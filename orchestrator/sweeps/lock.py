"""One driver a sweep: a lock file that names its holder. The operating system frees it when the holder dies."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from orchestrator.errors import LockedError

LOOKS = 5
LOOK_S = 0.05


@contextmanager
def driver_lock(path: Path, sweep: str) -> Iterator[None]:
    """Hold the lock of a sweep.

    Raises:
        LockedError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _taken(file):
            raise LockedError(f"sweep {sweep} is driven by {holder(path) or 'another process'}")
        file.seek(0)
        file.truncate()
        json.dump({"host": socket.gethostname(), "pid": os.getpid()}, file)
        file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    """Take the lock; a few tries, because `holder` holds it for an instant while it looks."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOOK_S)
        else:
            return True
    return False


def holder(path: Path) -> str | None:
    """Who drives the sweep now, in words; None when nobody does."""
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                try:
                    written = json.load(file)
                except ValueError:
                    return "another process"
                return f"process {written['pid']} on {written['host']}"
    except OSError:
        return None
    return None
