"""Processes that bear the name of a sweep."""

import subprocess
import sys

import pytest

from orchestrator.sweeps.verifying import workers
from orchestrator.sweeps.verifying.workers import workers_left


@pytest.fixture
def titled():
    """Starts processes with a title, as Ray does."""
    started = []

    def start(title):
        code = f"import ray._raylet as r, time; r.setproctitle({title!r}); print(flush=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_worker_that_stays(titled, monkeypatch):
    monkeypatch.setattr(workers, "GOODBYE_S", 0.1)
    process = titled("ray::orch-abc123.step")
    titled("ray::orch-other.step")

    (worker,) = workers_left("abc123")

    assert worker.pid == process.pid
    assert worker.title.startswith("ray::orch-abc123")


def test_one_that_ends_by_itself_is_waited_for(titled):
    process = titled("ray::orch-abc123")
    process.terminate()

    assert workers_left("abc123") == []
