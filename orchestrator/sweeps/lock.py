"""One driver a sweep. A lock file decides on one machine, a row in the ledger's database between machines and homes.

The operating system frees the file when its holder dies. The row is renewed while its holder lives; that of a holder
which is known to be dead is replaced, any other one only on demand.
"""

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

from orchestrator.errors import LockedError
from orchestrator.execution.clock import Clock
from orchestrator.execution.signals import interruptible
from orchestrator.study import Archive, Lease, Leases, SweepRecord
from orchestrator.sweeps.paths import SweepPaths

if TYPE_CHECKING:  # whoever looks who drives does without Optuna
    from orchestrator.study import Storage

LOOKS = 5
LOOK_S = 0.05
LET_GO_S = 60.0
"""How long a take-over waits for a holder on this machine to end."""
BEAT_S = 5.0


@dataclass(frozen=True, slots=True)
class Driver:
    """Who drives a sweep: `words` for people, and whether it uses this home's files."""

    words: str
    is_here: bool


@contextmanager
def driving(
    storage: "Storage", record: SweepRecord, paths: SweepPaths, *, clock: Clock, take_over: bool = False
) -> Iterator[None]:
    """Drive a sweep, alone. When another takes over, this thread gets a `LockedError`, and `storage` commits no more.

    Raises:
        LockedError: another process drives it, and is alive or on another machine; with `take_over`, it does not end.
    """
    mine = _claim(record.id, now_ms=clock.now_ms())
    with ExitStack() as stack:
        leases = stack.enter_context(closing(storage.leases()))
        paths.lock.parent.mkdir(parents=True, exist_ok=True)
        file = stack.enter_context(paths.lock.open("a+"))
        _take(leases, file, mine, sweep=record.name, take_over=take_over)
        stack.callback(leases.remove, mine)
        storage.fence.hold(mine, sweep=record.name)
        stack.callback(storage.fence.let_go)
        interrupt = stack.enter_context(interruptible())
        stack.enter_context(_beating(leases, mine, clock, lost=lambda by: interrupt(storage.fence.lost(by))))
        yield


def driver_of(archive: Archive, record: SweepRecord, paths: SweepPaths) -> Driver | None:
    """Who drives a sweep now; None when nobody does, or its driver is known to be dead."""
    held = archive.lease(record.id)
    is_locked, written = _look(paths.lock)
    is_here = held is not None and held.token == written.get("token")
    if is_locked:
        known = held.words if held is not None and is_here else f"process {written.get('pid')} on {written.get('host')}"
        return Driver(known, is_here=True)
    if held is None or _is_dead(held, _claim(record.id, now_ms=0), freed=written.get("token")):
        return None
    return Driver(held.words, is_here=is_here)


def _claim(sweep_id: str, *, now_ms: int) -> Lease:
    return Lease(
        sweep_id=sweep_id,
        token=uuid.uuid4().hex,
        host=socket.gethostname(),
        machine=_read(Path("/etc/machine-id")),
        pid=os.getpid(),
        boot_id=_read(Path("/proc/sys/kernel/random/boot_id")),
        acquired_ms=now_ms,
        heartbeat_ms=now_ms,
    )


def _read(path: Path) -> str:
    """What the system says of itself; nothing where it is another kind of system."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _is_dead(held: Lease, mine: Lease, *, freed: object) -> bool:
    """Whether a holder is known to be dead; of another machine's that cannot be known.

    `freed` is the token in a lock file that nobody holds.
    """
    if (held.host, held.machine) != (mine.host, mine.machine):
        return False
    return held.token == freed or held.boot_id != mine.boot_id or not psutil.pid_exists(held.pid)


def _take(leases: Leases, file: IO[str], mine: Lease, *, sweep: str, take_over: bool) -> None:
    """Take the file and the row."""
    is_free = _lock(file, tries=LOOKS)
    written, held = _written(file), leases.get(mine.sweep_id)
    is_dead = is_free and held is not None and _is_dead(held, mine, freed=written.get("token"))
    if not take_over and (not is_free or (held is not None and not is_dead)):
        raise _refusal(sweep, held, written, is_free=is_free)
    if not leases.take(mine, replacing=held):
        raise LockedError(f"sweep {sweep} was taken by another process at this moment; look with: orch status {sweep}")
    try:
        if not is_free and not _lock(file, tries=round(LET_GO_S / LOOK_S)):
            pid = written.get("pid")
            raise LockedError(
                f"process {pid} drove sweep {sweep}, writes nothing more to the ledger, and has not ended in "
                f"{LET_GO_S:g} s\n  end it and take over: kill -9 {pid}; orch resume {sweep}"
            )
        file.seek(0)
        file.truncate()
        json.dump({"host": mine.host, "pid": mine.pid, "token": mine.token}, file)
        file.flush()
    except BaseException:
        leases.remove(mine)
        raise


def _refusal(sweep: str, held: Lease | None, written: Mapping[str, object], *, is_free: bool) -> LockedError:
    who = f"process {written.get('pid')} on {written.get('host')}" if held is None else held.words
    if is_free:
        hint = f"its end cannot be seen from here; if it is dead, or shall end: orch resume {sweep} --take-over"
    else:
        hint = f"to pause it: orch stop {sweep}; to go on in its place: orch resume {sweep} --take-over"
    return LockedError(f"sweep {sweep} is driven by {who}\n  {hint}")


def _lock(file: IO[str], *, tries: int) -> bool:
    """Take the lock; several tries, because `_look` holds it for an instant while it looks."""
    for _ in range(tries):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOOK_S)
        else:
            return True
    return False


def _look(path: Path) -> tuple[bool, Mapping[str, object]]:
    """Whether the lock is held, and what its last holder has written."""
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True, _written(file)
            return False, _written(file)
    except OSError:
        return False, {}


def _written(file: IO[str]) -> Mapping[str, object]:
    file.seek(0)
    try:
        found = json.load(file)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _beating(leases: Leases, mine: Lease, clock: Clock, *, lost: Callable[[Lease | None], None]) -> Iterator[None]:
    """Renew the claim every few seconds from a thread; say once when it is lost."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_S):
            if not leases.beat(mine, now_ms=clock.now_ms()):
                lost(leases.get(mine.sweep_id))
                return

    thread = threading.Thread(target=beat, name="orch-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
