import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestrator.tracking.operations import LogMetrics, SetTags
from orchestrator.tracking.outbox import Backlog, Identity, Outbox


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "deep" / "outbox.db")
    yield box
    box.close()


def metrics(step):
    return LogMetrics(number=0, step=step, metrics={"x": 1.0}, at_ms=step)


def test_operations_come_back_in_order(outbox):
    outbox.append([metrics(0), metrics(1)], at_ms=5)
    outbox.append([metrics(2)], at_ms=6)
    assert [entry.operation.step for entry in outbox.pending(10)] == [0, 1, 2]
    assert [entry.operation.step for entry in outbox.pending(2)] == [0, 1]


def test_what_arrived_is_gone_and_what_was_refused_is_kept_apart(outbox):
    outbox.append([metrics(0), metrics(1), metrics(2)], at_ms=5)
    first, second, _ = outbox.pending(10)
    outbox.delete([first])
    outbox.reject(second, "bad name")
    assert [entry.operation.step for entry in outbox.pending(10)] == [2]
    assert [(r.operation.step, r.reason) for r in outbox.rejections()] == [(1, "bad name")]
    assert outbox.backlog() == Backlog(num_pending=1, num_rejected=1, oldest_ms=5)


def test_the_backlog_of_an_empty_outbox_has_no_age(outbox):
    assert outbox.backlog() == Backlog(0, 0, None)


def test_an_append_that_fails_leaves_nothing_behind(outbox):
    with pytest.raises(sqlite3.Error):
        outbox.append([metrics(0)], at_ms=object())
    assert outbox.pending(10) == []
    outbox.append([metrics(1)], at_ms=1)
    assert len(outbox.pending(10)) == 1


def test_another_process_finds_runs_identity_and_operations(outbox, tmp_path):
    identity = Identity(sweep="s", sweep_id="i", experiment="e", artifacts=tmp_path)
    assert outbox.identity() is None
    outbox.write_identity(identity)
    outbox.remember_run(None, "parent")
    outbox.remember_run(7, "seven")
    outbox.append([SetTags(number=7, tags={"a": "b"})], at_ms=1)
    again = Outbox(outbox.path)
    assert again.identity() == identity
    assert again.runs() == {None: "parent", 7: "seven"}
    assert len(again.pending(10)) == 1
    again.close()


def test_threads_may_append_at_once(outbox):
    threads = [
        threading.Thread(target=lambda: [outbox.append([metrics(i)], at_ms=1) for i in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.backlog().num_pending == 200


APPEND_FOR_EVER = """
import sys
from pathlib import Path
from orchestrator.tracking.operations import LogMetrics
from orchestrator.tracking.outbox import Outbox

outbox = Outbox(Path(sys.argv[1]))
step = 0
while True:
    pair = [LogMetrics(number=0, step=step + i, metrics={"x": 1.0}, at_ms=step) for i in range(2)]
    outbox.append(pair, at_ms=step)
    step += 2
    print(step, flush=True)
"""


def test_appends_survive_kill_9_whole(tmp_path):
    path = tmp_path / "outbox.db"
    command = [sys.executable, "-c", APPEND_FOR_EVER, str(path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        said = [int(process.stdout.readline()) for _ in range(100)][-1]
        os.kill(process.pid, signal.SIGKILL)
        said = ([said] + [int(line) for line in process.stdout.read().splitlines() if line])[-1]
    outbox = Outbox(path)
    steps = [entry.operation.step for entry in outbox.pending(1_000_000)]
    outbox.close()
    assert steps == list(range(len(steps)))
    assert len(steps) % 2 == 0
    assert len(steps) >= said - 2  # the last line read may itself have been torn
