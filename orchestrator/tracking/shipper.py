"""The shipper: one daemon thread that carries the outbox to MLflow, and the facts that a live table shows about it.

Delivery is at least once and every send is idempotent: the same metric, step, time and value is one point, a run is
looked for by tag before it is created. Nobody waits for this thread except in `flush`.
"""

import fcntl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from typing import IO

from orchestrator.errors import LockedError
from orchestrator.tracking.delta import fold
from orchestrator.tracking.operations import StartSweep, StartTrial
from orchestrator.tracking.outbox import Entry, Identity, Outbox
from orchestrator.tracking.store import RunStore, connect, is_permanent
from orchestrator.tracking.uri import redact

_MAX_ENTRIES = 2000  # looked at together; more only makes one cycle longer
_FIRST_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 30.0
_MAX_BACKOFF_IN_FLUSH_S = 1.0  # somebody waits


@dataclass(frozen=True, slots=True)
class Lag:
    """How far MLflow is behind: operations not arrived, age of the oldest in seconds, operations refused for good."""

    num_pending: int
    oldest_s: float
    num_rejected: int


class Shipper:
    """Owns the thread; `now_ms` is the clock by which the lag is measured, Unix milliseconds.

    Raises: LockedError: another process ships this outbox.
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
        self._runs = dict(outbox.runs())
        self._new: set[int | None] = set()  # created by this object, nothing sent to them yet
        self._setbacks: Counter[int | None] = Counter()
        self._num_shipped = 0
        self._last_error: str | None = None
        self._wake = Event()
        self._closing = False
        self._flushing = False
        self._cycle_done = Condition()
        self._lock_file = _lock(outbox.path)
        self._thread = Thread(target=self._run, name="orch-shipper", daemon=True)
        self._thread.start()

    @property
    def lag(self) -> Lag:
        """Counted in the outbox; cheap."""
        backlog = self._outbox.backlog()
        age_ms = 0 if backlog.oldest_ms is None else max(0, self._now_ms() - backlog.oldest_ms)
        return Lag(backlog.num_pending, age_ms / 1000, backlog.num_rejected)

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
            done = self._cycle_done.wait_for(lambda: self._outbox.backlog().num_pending == 0, timeout_s)
        self._flushing = False
        return done

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop after the request under way, at most `timeout_s` from now. What is pending stays in the outbox."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        with self._lock_file:  # held until the thread ends, which may be later than `close`
            self._ship_until_closed()

    def _ship_until_closed(self) -> None:
        delay_s, failures = 0.0, 0
        while not self._closing:
            try:
                caught_up = self._cycle()
                self._last_error, failures = None, 0
                delay_s = self._interval_s if caught_up else 0.0
            except Exception as error:  # whatever MLflow raises, training goes on
                self._last_error = redact(f"{type(error).__name__}: {error}")
                longest_s = _MAX_BACKOFF_IN_FLUSH_S if self._flushing else _MAX_BACKOFF_S
                delay_s = min(longest_s, _FIRST_BACKOFF_S * 2**failures)
                failures += 1
            with self._cycle_done:
                self._cycle_done.notify_all()
            self._wake.wait(delay_s)
            self._wake.clear()

    def _cycle(self) -> bool:
        """Ship what is pending; whether that was all of it."""
        entries = self._outbox.pending(_MAX_ENTRIES)
        if not entries:
            return True
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
        return len(entries) < _MAX_ENTRIES

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
            name = starts[0].name if starts else f"{self._identity.sweep} {'' if number is None else number}".strip()
            start_ms = starts[0].start_ms if starts else self._now_ms()
            parent_id = store.find_above() if number is None else self.parent_run_id
            run_id = store.create(number, name=name, start_ms=start_ms, parent_id=parent_id)
            self._new.add(number)
        self._outbox.remember_run(number, run_id)
        self._runs[number] = run_id
        return run_id


def _lock(outbox: Path) -> IO[str]:
    """Two shippers of one outbox would create runs twice."""
    handle = outbox.with_name(f"{outbox.name}.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise LockedError(f"another process is shipping {outbox} to MLflow") from None
    return handle
