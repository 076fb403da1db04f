import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from orchestrator.tracking.operations import LogMetrics, SetTags
from orchestrator.tracking.outbox import Backlog, Outbox, num_pending
from orchestrator.tracking.outbox_file import DamagedError, seal


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


def test_another_process_finds_runs_facts_and_operations(outbox):
    outbox.remember_run(None, "parent")
    outbox.remember_run(7, "seven")
    outbox.append([SetTags(number=7, tags={"a": "b"})], at_ms=1, facts=["7 step 1", "7 step 2"])
    outbox.append([], at_ms=2, facts=["7 step 2"])
    again = Outbox(outbox.path)
    assert again.facts() == {"7 step 1", "7 step 2"}
    assert again.runs() == {None: "parent", 7: "seven"}
    assert len(again.pending(10)) == 1
    again.close()


def test_facts_outlive_their_operations_until_they_are_forgotten(outbox):
    outbox.append([metrics(0)], at_ms=1, facts=["0 step 0"])
    outbox.remember_run(0, "zero")
    outbox.delete(outbox.pending(10))
    assert outbox.facts() == {"0 step 0"}
    outbox.forget()
    assert (outbox.facts(), outbox.runs()) == (frozenset(), {})


def test_an_append_that_fails_tells_no_fact(outbox):
    with pytest.raises(sqlite3.Error):
        outbox.append([metrics(0)], at_ms=1, facts=["a", object()])
    assert (outbox.facts(), outbox.pending(10)) == (frozenset(), [])


def test_another_process_that_locks_the_file_is_waited_for_only_shortly(outbox):
    outbox.append([metrics(0)], at_ms=1)
    other = sqlite3.connect(outbox.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begin = time.perf_counter()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        outbox.append([metrics(1)], at_ms=1)
    assert time.perf_counter() - begin < 5
    other.execute("COMMIT")
    other.close()
    outbox.append([metrics(2)], at_ms=1)
    assert [entry.operation.step for entry in outbox.pending(10)] == [0, 2]


def flip(path, text):
    """Change one character of a text in the file, and nothing of what SQLite checks."""
    content = path.read_bytes()
    assert content.count(text) == 1
    path.write_bytes(content.replace(text, text[:-1] + b"?"))


@pytest.mark.parametrize("place", ["operation", "run"])
def test_a_flipped_bit_in_a_text_is_noticed_and_the_file_set_aside(tmp_path, place):
    path = tmp_path / "outbox.db"
    first = Outbox(path)
    first.append([SetTags(number=7, tags={"a": "needle"})], at_ms=1, facts=["f"])
    first.remember_run(7, "haystack")
    first.close()
    flip(path, b"needle" if place == "operation" else b"haystack")
    outbox = Outbox(path)
    with pytest.raises(DamagedError, match="has changed since"):
        outbox.pending(10) if place == "operation" else outbox.runs()
    assert (tmp_path / "outbox.damaged-1.db").exists()
    assert (outbox.facts(), outbox.pending(10), outbox.runs()) == (frozenset(), [], {})
    outbox.append([metrics(0)], at_ms=1)
    outbox.close()


def test_what_another_version_wrote_is_set_aside(outbox):
    outbox.append([metrics(0)], at_ms=1)
    outbox.close()
    with sqlite3.connect(outbox.path) as db:
        db.execute("UPDATE operations SET body = ?", (seal('{"kind": "unheard_of"}'),))
    db.close()
    with pytest.raises(DamagedError, match="no operation"):
        outbox.pending(10)
    assert outbox.pending(10) == []
    assert outbox.path.with_name("outbox.damaged-1.db").exists()


def test_counting_from_outside_changes_nothing(outbox, tmp_path):
    assert num_pending(tmp_path / "absent.db") == 0
    (tmp_path / "odd.db").write_text("no database " * 1000)
    assert num_pending(tmp_path / "odd.db") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd.db"]
    outbox.append([metrics(0), metrics(1)], at_ms=5)
    assert num_pending(outbox.path) == 2


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
