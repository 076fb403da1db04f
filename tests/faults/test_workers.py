"""Workers that die, hang or have no memory, on a real Ray: their trials are tried again and nothing else is touched."""

import os
import signal
from collections import Counter

import psutil
import pytest

from orchestrator.trial import Cause, Mishap, TrialState
from tests.support.commands import diary_lines, wait_for
from tests.support.specs import TWO_WORKERS, modes

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(290),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, when the store is read here
]
EPOCHS = 3
HANG_TIMEOUT_S = 10.0
"""Longer than a busy machine takes to import torch in a new worker."""


def mishaps(record):
    return [lost.mishap for lost in record.lost_attempts]


def assert_whole(orch, records):
    """Each trial has its whole curve once, and one run that has ended."""
    for record in records:
        assert [m.step for m in record.measurements] == list(range(EPOCHS + 1))
    runs = Counter(number for _, number, _ in orch.runs())
    assert runs == Counter([None, *(r.number for r in records)])
    assert "RUNNING" not in [status for *_, status in orch.runs()]


def sweep(orch, *names, resources=TWO_WORKERS, **config):
    file = orch.file(**modes(*names, epochs=EPOCHS, **config), resources=resources)
    done = orch.run("sweep", file, "--json", timeout=270)
    assert done.code == 0, done.err
    return done, {record.params["mode"]: record for record in orch.records()}


@pytest.mark.fault("worker kill -9", phase="mid-epoch", outcome="the trial goes on from its checkpoint, not charged")
@pytest.mark.fault("MemoryError", phase="mid-epoch", outcome="tried once more alone")
@pytest.mark.fault("CUDA out of memory", phase="mid-epoch", outcome="tried once more alone")
def test_mishaps_that_do_not_come_again_cost_an_attempt(orch, tmp_path):
    names = ("learn", "die", "no_memory", "no_gpu_memory")
    _, records = sweep(orch, *names, once=str(tmp_path), epoch_s=0.05)
    assert {record.state for record in records.values()} == {TrialState.COMPLETE}
    assert mishaps(records["learn"]) == []
    assert mishaps(records["die"]) == [Mishap.WORKER_LOST]
    assert mishaps(records["no_memory"]) == mishaps(records["no_gpu_memory"]) == [Mishap.OUT_OF_MEMORY]
    assert [records[name].attempt for name in names] == [1, 2, 2, 2]
    assert_whole(orch, list(records.values()))


@pytest.mark.fault("worker kill -9", phase="again and again", outcome="FAILED, worker lost, after three attempts")
@pytest.mark.fault("out of memory", phase="again when alone", outcome="FAILED, infeasible for the sampler")
def test_mishaps_that_come_again_end_their_trial_alone(orch):
    _, records = sweep(orch, "learn", "die", "no_memory", "flat")
    assert records["die"].ending.cause is Cause.WORKER_LOST
    assert mishaps(records["die"]) == [Mishap.WORKER_LOST] * 3
    assert [m.step for m in records["die"].measurements] == [0, 1]
    assert records["no_memory"].ending.cause is Cause.OUT_OF_MEMORY
    assert mishaps(records["no_memory"]) == [Mishap.OUT_OF_MEMORY] * 2
    assert {records[name].state for name in ("learn", "flat")} == {TrialState.COMPLETE}
    assert Counter(status for _, number, status in orch.runs() if number is not None) == {"FINISHED": 2, "FAILED": 2}


@pytest.mark.fault("hang that ignores SIGTERM", phase="mid-epoch", outcome="killed after hang_timeout_s, tried again")
def test_a_trial_that_hangs_is_killed_and_tried_again(orch, tmp_path):
    resources = {**TWO_WORKERS, "hang_timeout_s": HANG_TIMEOUT_S}
    _, records = sweep(orch, "learn", "hang", "flat", once=str(tmp_path), resources=resources)
    assert {record.state for record in records.values()} == {TrialState.COMPLETE}
    assert mishaps(records["hang"]) == [Mishap.HUNG]
    assert f"{HANG_TIMEOUT_S:g} s" in records["hang"].lost_attempts[0].what
    assert records["hang"].effort.train_s >= HANG_TIMEOUT_S, "the time is charged"
    assert_whole(orch, list(records.values()))


@pytest.mark.fault("hang that ignores SIGTERM", phase="again and again", outcome="FAILED, hung, after three attempts")
def test_a_trial_that_always_hangs_fails(orch):
    _, records = sweep(orch, "learn", "hang", resources={**TWO_WORKERS, "hang_timeout_s": HANG_TIMEOUT_S})
    assert records["hang"].ending.cause is Cause.HUNG
    assert records["learn"].state is TrialState.COMPLETE


@pytest.mark.fault("worker kill -9", phase="from outside, two at once", outcome="each goes on from its checkpoint")
@pytest.mark.fault("worker SIGSTOP", phase="mid-epoch", outcome="killed after hang_timeout_s, tried again")
def test_workers_that_are_killed_or_stopped_from_outside(orch, tmp_path):
    diary = tmp_path / "diary"
    config = {"epochs": 6, "epoch_s": 0.4, "diary": str(diary)}
    resources = {**TWO_WORKERS, "hang_timeout_s": HANG_TIMEOUT_S}
    process = orch.start("sweep", orch.file(trials=4, config=config, resources=resources), "--json")
    pids = set()
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP):
        seen = len(diary_lines(diary))
        wait_for(lambda: len(diary_lines(diary)) > seen + 6, timeout=120, what="six more epochs")  # noqa: B023
        workers = {int(m.metrics["pid"]) for r in orch.records() for m in r.measurements} - pids
        alive = [pid for pid in workers if psutil.pid_exists(pid)]
        for pid in alive[:2] if number == signal.SIGKILL else alive[:1]:
            os.kill(pid, number)
            pids.add(pid)
    done = orch.end(process, timeout=200)
    assert done.code == 0, done.err
    records = orch.records()
    assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", 6) for n in range(4)]
    assert all([m.step for m in r.measurements] == list(range(7)) for r in records)
    assert sum(len(r.lost_attempts) for r in records) >= 3
    assert not [pid for pid in pids if psutil.pid_exists(pid)], "a stopped worker is gone, too"
