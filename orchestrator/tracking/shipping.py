"""Carrying the outbox to MLflow, in a process of its own: `python -m orchestrator.tracking.shipping`, for `Shipper`.

Delivery is at least once and every send is idempotent: the same metric, step, time and value is one point, and runs are
looked for by tag before one is created. The process is told what to do line by line on its standard input, reports
after each cycle on its standard output, and ends with its input, so that it never outlives a driver that was killed.
"""

import fcntl
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import IO

from orchestrator.tracking.delta import fold
from orchestrator.tracking.fresh_store import get_ready, put_in_place
from orchestrator.tracking.operations import StartSweep, StartTrial, run_name
from orchestrator.tracking.orders import Errand, Place, Report
from orchestrator.tracking.outbox import Entry, Identity, Outbox
from orchestrator.tracking.outbox_file import DamagedError
from orchestrator.tracking.store import RunStore, connect, is_permanent
from orchestrator.tracking.uri import redact

_MAX_ENTRIES = 2000  # looked at together; more only makes one cycle longer
_SHORTEST_REST_S = 1.0
_LONGEST_REST_S = 10.0
_REST_PER_WORK = 20
"""A cycle is followed by a rest so many times as long: larger batches cost MLflow less for each metric."""
_FIRST_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 30.0
_MAX_BACKOFF_IN_FLUSH_S = 1.0  # somebody waits
_LOCK_POLL_S = 0.1
_MAX_ERROR_CHARS = 2000


class Shipping:
    """The loop. Of several for one outbox, in whatever process, one ships at a time: two would create runs twice."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        identity: Identity,
        tracking_uri: str,
        now_ms: Callable[[], int],
        report: Callable[[Report], None],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._identity = identity
        self._tracking_uri = tracking_uri
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._report = report
        self._store: RunStore | None = None
        self._runs: dict[int | None, str] = {}
        self._has_looked = False  # for the runs that the store has and the outbox does not know
        self._new: set[int | None] = set()  # created by this object, nothing sent to them yet
        self._setbacks: Counter[int | None] = Counter()
        self._num_shipped = 0
        self._wake = Event()
        self._closing = False
        self._flush = 0
        self._flushed = 0

    def flush(self, request: int) -> None:
        """Begin the next cycle now."""
        self._flush = request
        self._wake.set()

    def close(self) -> None:
        """Stop after the request under way. What is pending stays in the outbox."""
        self._closing = True
        self._wake.set()

    def run(self) -> None:
        """Ship until `close`."""
        failures, lock = 0, None
        while not self._closing:
            request, began_s, error = self._flush, self._monotonic_s(), None
            try:
                lock = lock or self._lock()
                if lock is None:
                    delay_s = _LOCK_POLL_S
                elif self._cycle():
                    delay_s = 0.0
                else:
                    work_s = self._monotonic_s() - began_s
                    delay_s = min(max(_SHORTEST_REST_S, _REST_PER_WORK * work_s), _LONGEST_REST_S)
                failures = 0
            except Exception as raised:  # whatever MLflow raises, training goes on
                error = redact(f"{type(raised).__name__}: {raised}")[:_MAX_ERROR_CHARS]
                longest_s = _MAX_BACKOFF_IN_FLUSH_S if self._flush > self._flushed else _MAX_BACKOFF_S
                delay_s = min(longest_s, _FIRST_BACKOFF_S * 2 ** min(failures, 10))
                failures += 1
            if error is None and lock is not None:
                self._flushed = request
            self._report(Report(num_shipped=self._num_shipped, error=error, flushed=self._flushed))
            self._wake.wait(delay_s)
            self._wake.clear()
        if lock is not None:
            lock.close()

    def _known_runs(self) -> dict[int | None, str]:
        """The runs that are in the outbox; none where it cannot be read, and then they are looked for."""
        try:
            return dict(self._outbox.runs())
        except (sqlite3.Error, OSError, DamagedError):
            return {}

    def _lock(self) -> IO[str] | None:
        """The right to ship this outbox; None while another process has it."""
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
        known = self._known_runs()
        if not self._runs.items() <= known.items():  # somebody has dropped them, or the file was lost
            self._has_looked = False
        self._runs = known
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
        if None in self._runs:
            store.check(self._runs[None])
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
        if number not in self._runs and not self._has_looked:
            self._look(store)
        if number in self._runs:
            return self._runs[number]
        starts = [e.operation for e in entries if isinstance(e.operation, StartSweep | StartTrial)]
        name = starts[0].name if starts else run_name(self._identity.sweep, number)
        start_ms = starts[0].start_ms if starts else self._now_ms()
        parent_id = store.find_above() if number is None else self._runs.get(None)
        # A reply that is lost, or an outbox that cannot be written, leaves a run that nobody here knows.
        self._has_looked = False
        run_id = store.create(number, name=name, start_ms=start_ms, parent_id=parent_id)
        self._remember(number, run_id)
        self._new.add(number)
        self._has_looked = True
        return run_id

    def _look(self, store: RunStore) -> None:
        """Find the runs of the sweep that the outbox does not know; what it knows stays."""
        for number, run_id in store.runs().items():
            if number not in self._runs:
                self._remember(number, run_id)
        self._has_looked = True

    def _remember(self, number: int | None, run_id: str) -> None:
        self._outbox.remember_run(number, run_id)
        self._runs[number] = run_id


def main() -> None:
    """Get ready, then ship what the second line names until there are no more lines."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    place = Place.model_validate_json(sys.stdin.readline())
    get_ready(place.tracking_uri, place.folder)
    line = sys.stdin.readline()
    if not line:
        return
    errand = Errand.model_validate_json(line)
    put_in_place(place.tracking_uri, place.folder)
    shipping = Shipping(
        Outbox(errand.outbox),
        identity=errand.identity,
        tracking_uri=place.tracking_uri,
        now_ms=lambda: int(time.time() * 1000),
        report=_say,
    )
    Thread(target=_listen, args=(shipping,), name="listener", daemon=True).start()
    shipping.run()
    os._exit(0)  # all is committed, and taking down an interpreter with MLflow takes half a second


def _listen(shipping: Shipping) -> None:
    for line in sys.stdin:
        shipping.flush(int(line))
    shipping.close()


def _say(report: Report) -> None:
    """In one write, and behind whatever a library has printed."""
    try:
        os.write(1, f"\n{report.model_dump_json()}\n".encode())
    except BrokenPipeError:
        """The driver is gone, and with it standard input."""


if __name__ == "__main__":
    main()
