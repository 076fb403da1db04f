"""The shipper: one daemon thread that carries the outbox to MLflow, and the facts that a live table shows about it.

Delivery is at least once and every send is idempotent: the same metric, step, time and value is one point, a run is
looked for by tag before it is created. Nobody waits for this thread except in `flush`.
"""

import fcntl
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import IO

from orchestrator.tracking.delta import fold
from orchestrator.tracking.operations import StartSweep, StartTrial, run_name
from orchestrator.tracking.outbox import Entry, Identity, Outbox
from orchestrator.tracking.outbox_file import DamagedError
from orchestrator.tracking.store import RunStore, connect, is_permanent
from orchestrator.tracking.uri import redact

_MAX_ENTRIES = 2000  # looked at together; more only makes one cycle longer
_FIRST_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 30.0
_MAX_BACKOFF_IN_FLUSH_S = 1.0  # somebody waits
_LOCK_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Lag:
    """How far MLflow is behind: operations not arrived, age of the oldest in seconds, operations refused for good."""

    num_pending: int
    oldest_s: float
    num_rejected: int


class Shipper:
    """Owns the thread; `now_ms` is the clock by which the lag is measured, Unix milliseconds.

    Of several shippers of one outbox, in whatever process, one ships at a time: two would create runs twice.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        identity: Identity,
        tracking_uri: str,
        now_ms: Callable[[], int],
        interval_s: float = 1.0,
    ) -> None:
        self._outbox = outbox
        self._identity = identity
        self._tracking_uri = tracking_uri
        self._now_ms = now_ms
        self._interval_s = interval_s
        self._store: RunStore | None = None
        self._runs = self._known_runs()
        self._new: set[int | None] = set()  # created by this object, nothing sent to them yet
        self._setbacks: Counter[int | None] = Counter()
        self._lag = Lag(0, 0.0, 0)
        self._num_shipped = 0
        self._last_error: str | None = None
        self._wake = Event()
        self._closing = False
        self._flushing = False
        self._cycle_done = Condition()
        self._thread = Thread(target=self._run, name="orch-shipper", daemon=True)
        self._thread.start()

    @property
    def lag(self) -> Lag:
        """Counted in the outbox; cheap. The last count, where the outbox can not be read now."""
        try:
            backlog = self._outbox.backlog()
        except (sqlite3.Error, OSError, DamagedError):
            return self._lag
        age_ms = 0 if backlog.oldest_ms is None else max(0, self._now_ms() - backlog.oldest_ms)
        self._lag = Lag(backlog.num_pending, age_ms / 1000, backlog.num_rejected)
        return self._lag

    @property
    def last_error(self) -> str | None:
        """Why the last attempt failed, without passwords; None after a success."""
        return self._last_error

    @property
    def num_shipped(self) -> int:
        """Operations that this shipper delivered."""
        return self._num_shipped

    @property
    def parent_run_id(self) -> str | None:
        """The sweep's own run, once it exists."""
        return self._runs.get(None)

    def run_ids(self) -> Mapping[int, str]:
        """Trial number to run id, of the runs that exist so far."""
        return {number: run_id for number, run_id in self._runs.copy().items() if number is not None}

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything has arrived or was refused; False when the time was over first."""
        self._flushing = True
        self._wake.set()
        with self._cycle_done:
            done = self._cycle_done.wait_for(lambda: self.lag.num_pending == 0, timeout_s)
        self._flushing = False
        return done

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop after the request under way, at most `timeout_s` from now. What is pending stays in the outbox."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        delay_s, failures, lock = 0.0, 0, None
        while not self._closing:
            try:
                lock = lock or self._lock()
                delay_s = _LOCK_POLL_S if lock is None else 0.0 if self._cycle() else self._interval_s
                self._last_error, failures = None, 0
            except Exception as error:  # whatever MLflow raises, training goes on
                self._last_error = redact(f"{type(error).__name__}: {error}")
                longest_s = _MAX_BACKOFF_IN_FLUSH_S if self._flushing else _MAX_BACKOFF_S
                delay_s = min(longest_s, _FIRST_BACKOFF_S * 2 ** min(failures, 10))
                failures += 1
            with self._cycle_done:
                self._cycle_done.notify_all()
            self._wake.wait(delay_s)
            self._wake.clear()
        if lock is not None:  # held until the thread ends, which may be later than `close`
            lock.close()

    def _known_runs(self) -> dict[int | None, str]:
        """The runs that are in the outbox; none where it cannot be read, and then they are looked for."""
        try:
            return dict(self._outbox.runs())
        except (sqlite3.Error, OSError, DamagedError):
            return {}

    def _lock(self) -> IO[str] | None:
        """The right to ship this outbox; None while another shipper has it."""
        path = self._outbox.path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.with_name(f"{path.name}.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        return handle

    def _cycle(self) -> bool:
        """Ship what is pending; whether there may be more."""
        entries = self._outbox.pending(_MAX_ENTRIES)
        if not entries:
            return False
        self._runs = self._known_runs()
        store = self._store = self._store or self._connect()
        by_run: dict[int | None, list[Entry]] = {}
        for entry in entries:
            by_run.setdefault(entry.operation.number, []).append(entry)
        self._run_for(store, None, by_run.get(None, ()))
        # A run that failed goes last, so that it can not hold up the others.
        for number in sorted(by_run, key=lambda n: (self._setbacks[n], n is not None, n)):
            if self._closing:
                break
            self._setbacks[number] += 1
            self._ship(store, number, by_run[number])
            del self._setbacks[number]
        return len(entries) == _MAX_ENTRIES

    def _connect(self) -> RunStore:
        store = connect(self._identity, self._tracking_uri)
        if self.parent_run_id is not None:
            store.check(self.parent_run_id)
        return store

    def _ship(self, store: RunStore, number: int | None, entries: Sequence[Entry]) -> None:
        """Ship operations on one run; one that is refused is found by halving and set aside."""
        run_id = self._run_for(store, number, entries)
        try:
            store.apply(run_id, fold(entry.operation for entry in entries), created=number in self._new)
        except Exception as error:
            if not is_permanent(error):
                raise
            # Only a store that has the run can mean it: one that was emptied, or a stranger in its place, can not.
            store.check(run_id)
            if len(entries) == 1:
                self._outbox.reject(entries[0], redact(str(error)))
                return
            middle = len(entries) // 2
            self._ship(store, number, entries[:middle])
            self._ship(store, number, entries[middle:])
        else:
            self._new.discard(number)
            self._outbox.delete(entries)
            self._num_shipped += len(entries)

    def _run_for(self, store: RunStore, number: int | None, entries: Sequence[Entry]) -> str:
        """The run's id; the run is created if it is neither known nor found."""
        if number in self._runs:
            return self._runs[number]
        run_id = store.find(number)
        if run_id is None:
            starts = [e.operation for e in entries if isinstance(e.operation, StartSweep | StartTrial)]
            name = starts[0].name if starts else run_name(self._identity.sweep, number)
            start_ms = starts[0].start_ms if starts else self._now_ms()
            parent_id = store.find_above() if number is None else self.parent_run_id
            run_id = store.create(number, name=name, start_ms=start_ms, parent_id=parent_id)
            self._new.add(number)
        self._outbox.remember_run(number, run_id)
        self._runs[number] = run_id
        return run_id
