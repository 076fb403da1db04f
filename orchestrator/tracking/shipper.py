"""`Shipper`: the process that carries the outbox to MLflow, as its driver sees it. Only `flush` waits for it.

A process, because MLflow's client needs the interpreter for some 20 ms a trial, which the driver would wait for; and
whatever happens to it happens to no sweep. It is started anew when it ends by itself.
"""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from typing import IO

from pydantic import ValidationError

from orchestrator.errors import redact
from orchestrator.tracking.orders import Errand, Place, Report
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.outbox_file import DamagedError

COMMAND = (sys.executable, "-P", "-m", "orchestrator.tracking.shipping")
_FIRST_BACKOFF_S = 1.0
_MAX_BACKOFF_S = 30.0
_LONGEST_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Lag:
    """How far MLflow is behind: operations not arrived, age of the oldest in seconds, operations refused for good."""

    num_pending: int
    oldest_s: float
    num_rejected: int


class Shipper:
    """Owns the process. It gets MLflow ready at once and ships from `begin` on.

    Args:
        now_ms: the clock by which the lag is measured, Unix milliseconds.
    """

    def __init__(self, tracking_uri: str, *, now_ms: Callable[[], int]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="orch-mlflow-", ignore_cleanup_errors=True)
        self._place = Place(tracking_uri=tracking_uri, folder=Path(self._folder.name))
        self._now_ms = now_ms
        self._errand: Errand | None = None
        self._outbox: Outbox | None = None
        self._lag = Lag(0, 0.0, 0)
        self._request = 0
        self._report = Report(num_shipped=0, error=None, flushed=0)
        self._is_heard = False  # since the beginning, of a report or an end
        self._shipped_before = 0  # by processes that have ended
        self._last_words = ""
        self._closing = Event()
        self._changed = Condition()  # guards all of the above but the folder, and the process
        self._process: subprocess.Popen[str] | None = None
        self._thread = Thread(target=self._attend, name="orch-shipper", daemon=True)
        self._thread.start()

    def begin(self, outbox: Outbox, identity: Identity) -> None:
        """Ship this outbox from now on."""
        with self._changed:
            self._outbox = outbox
            self._errand = Errand(outbox=outbox.path.absolute(), identity=identity)
            self._send(self._errand.model_dump_json())

    @property
    def lag(self) -> Lag:
        """Counted in the outbox; cheap. The last count, where the outbox can not be read now."""
        if self._outbox is None:
            return self._lag
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
        return self._report.error

    @property
    def num_shipped(self) -> int:
        """Operations delivered since this object was made."""
        return self._shipped_before + self._report.num_shipped

    def run_ids(self) -> Mapping[int | None, str]:
        """Trial number, or None for the sweep, to run id, of the runs that exist so far."""
        if self._outbox is None:
            return {}
        try:
            return self._outbox.runs()
        except (sqlite3.Error, OSError, DamagedError):
            return {}

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything has arrived or was refused; False when the time was over first.

        The time counts from when the process has MLflow at hand: importing it takes seconds.
        """
        with self._changed:
            self._request += 1
            self._send(str(self._request))
            self._changed.wait_for(lambda: self._is_heard, _LONGEST_START_S)
            return self._changed.wait_for(
                lambda: self._report.flushed >= self._request and self.lag.num_pending == 0, timeout_s
            )

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Let the process end after the request under way, at most `timeout_s` from now; what is pending stays."""
        with self._changed:
            self._closing.set()
            process = self._process
            if process is not None:
                _close(process.stdin)
            if self._errand is None:  # it only gets ready
                timeout_s = 0.0
        self._thread.join(timeout_s)
        if process is not None and self._thread.is_alive():
            process.kill()
            self._thread.join()
        self._folder.cleanup()

    def _attend(self) -> None:
        """Listen to the process; start another one when it ends by itself."""
        delay_s = _FIRST_BACKOFF_S
        while (process := self._start()) is not None:
            assert process.stdout is not None
            for line in process.stdout:
                self._hear(line)
            code = process.wait()
            process.stdout.close()
            with self._changed:
                _close(process.stdin)
                self._shipped_before += self._report.num_shipped
                error = redact(
                    f"the process that ships to MLflow ended with code {code}: {self._last_words}".rstrip(": ")
                )
                self._report, self._is_heard = Report(num_shipped=0, error=error, flushed=0), True
                self._changed.notify_all()
            self._closing.wait(delay_s)
            delay_s = min(_MAX_BACKOFF_S, 2 * delay_s)

    def _start(self) -> subprocess.Popen[str] | None:
        """Start a process and tell it all that the last one was told; None once this is closed."""
        with self._changed:
            if self._closing.is_set():
                return None
            # In a group of its own, where no Ctrl-C of a terminal reaches it.
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                process_group=0,
            )
            self._send(self._place.model_dump_json())
            if self._errand is not None:
                self._send(self._errand.model_dump_json())
            if self._request:
                self._send(str(self._request))
            return self._process

    def _send(self, line: str) -> None:
        """Tell the process; one that has just ended is told when it is started anew."""
        if self._process is None or self._process.stdin is None or self._process.stdin.closed:
            return
        with suppress(OSError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def _hear(self, line: str) -> None:
        try:
            report = Report.model_validate_json(line)
        except ValidationError:
            self._last_words = line.strip() or self._last_words
            return
        with self._changed:
            self._report, self._is_heard = report, True
            self._changed.notify_all()


def _close(pipe: IO[str] | None) -> None:
    if pipe is not None:
        with suppress(OSError):  # what the other end has not read
            pipe.close()
