"""Workers of a sweep on this machine. Ray names a process after the class that it runs, which bears the sweep's id."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

GOODBYE_S = 30.0
"""How long a worker may take to notice that its driver has gone."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process on this machine."""

    pid: int
    title: str


def workers_left(sweep_id: str) -> list[Worker]:
    """The workers of a sweep that do not end by themselves in good time."""
    name = f"ray::orch-{sweep_id}"
    found = [process for process in psutil.process_iter(["cmdline"]) if _title(process).startswith(name)]
    _, left = psutil.wait_procs(found, timeout=GOODBYE_S)
    return [Worker(process.pid, _title(process)) for process in left]


def _title(process: psutil.Process) -> str:
    words: Sequence[str] = process.info["cmdline"] or ()
    return " ".join(words)
