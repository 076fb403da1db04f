"""Two drivers on one sweep: the second is refused, and one that is taken over writes nothing more."""

import signal
import time
from contextlib import closing
from dataclasses import replace

import pytest

from orchestrator.errors import InfrastructureError
from orchestrator.study import Storage, database
from orchestrator.trial import TrialState
from tests.support.commands import diary_lines, wait_for

SLOW = {"trials": 3, "config": {"epochs": 6, "epoch_s": 0.3}}
LONG = {"epochs": 900, "epoch_s": 0.3}
"""Lasts longer than any start of a second process, on the slowest machine; it is paused, not ended."""
LOCAL = ("--runner", "local")
PATIENCE_S = 240
"""Other tests may keep this machine busy."""
pytestmark = pytest.mark.timeout(900)


def lease(orch):
    with closing(Storage(f"sqlite:///{orch.home / 'ledger.db'}")) as storage:
        return storage.lease(storage.find("toy-1").id)


def take_from_elsewhere(orch):
    """What a driver on another machine does."""
    with closing(Storage(f"sqlite:///{orch.home / 'ledger.db'}")) as storage, closing(storage.leases()) as leases:
        held = storage.lease(storage.find("toy-1").id)
        assert leases.take(replace(held, token="f" * 32, host="elsewhere", pid=7), replacing=held)


def has_no_gap(orch):
    return all([m.step for m in r.measurements] == list(range(len(r.measurements))) for r in orch.records())


def pause(orch, process):
    """After its next measurement."""
    before = orch.num_measured()
    wait_for(lambda: orch.num_measured() > before, what="another measurement", timeout=PATIENCE_S)
    process.send_signal(signal.SIGINT)
    ended = orch.end(process, timeout=PATIENCE_S)
    assert ended.code == 130, ended.err


@pytest.mark.fault(
    "two resumes at once", phase="after a `kill -9`", outcome="one drives, one exits 5 and names the holder"
)
@pytest.mark.slow
def test_two_resumes_at_once_are_one_driver_and_one_refusal(orch):
    process = orch.start("sweep", orch.file(**SLOW), *LOCAL)
    wait_for(lambda: orch.num_measured() > 2, what="a measurement", timeout=PATIENCE_S)
    process.kill()
    orch.end(process, timeout=PATIENCE_S)

    both = [orch.start("resume", "toy-1", *LOCAL) for _ in range(2)]
    ends = [orch.end(process, timeout=PATIENCE_S) for process in both]

    assert sorted(end.code for end in ends) in ([0, 5], [0, 0]), [end.err for end in ends]
    for refused in (end for end in ends if end.code == 5):
        assert "toy-1 is driven by process " in refused.err
        assert "Traceback" not in refused.err
    assert has_no_gap(orch)
    assert [r.state for r in orch.records()] == [TrialState.COMPLETE] * 3


@pytest.mark.fault(
    "`--take-over`", phase="mid-trial, in process", outcome="the old driver exits 5, the new one goes on without a gap"
)
@pytest.mark.slow
def test_a_driver_that_is_taken_over_ends_with_five_and_the_other_goes_on(orch):
    first = orch.start("sweep", orch.file(trials=1, config=LONG), *LOCAL)
    wait_for(lambda: orch.num_measured() > 2, what="a measurement", timeout=PATIENCE_S)
    refused = orch.run("resume", "toy-1", *LOCAL, timeout=PATIENCE_S)
    assert refused.code == 5
    assert f"driven by process {first.pid} on " in refused.err
    assert "--take-over" in refused.err

    second = orch.start("resume", "toy-1", *LOCAL, "--take-over")
    ended = orch.end(first, timeout=PATIENCE_S)
    assert ended.code == 5, ended.err
    assert f"taken over by process {second.pid} on " in ended.err
    assert "Traceback" not in ended.err
    pause(orch, second)
    assert has_no_gap(orch)
    assert [r.attempt for r in orch.records()] == [2]
    assert lease(orch) is None


@pytest.mark.fault(
    "driver stopped (SIGSTOP) and taken over from another machine",
    phase="mid-trial",
    outcome="wakes up, writes nothing, exits 5",
)
@pytest.mark.slow
def test_a_driver_that_stood_still_wakes_up_and_writes_nothing(orch, tmp_path, monkeypatch):
    """SIGSTOP is a machine that hangs: the other home cannot wait for it, and takes over all the same."""
    monkeypatch.setattr(database, "BUSY_S", 5)
    diary = tmp_path / "diary"
    first = orch.start("sweep", orch.file(trials=1, config={**LONG, "diary": str(diary)}), *LOCAL)
    wait_for(lambda: orch.num_measured() > 2, what="a measurement", timeout=PATIENCE_S)
    while True:
        first.send_signal(signal.SIGSTOP)
        # Whoever stands still in the middle of a write has the file locked.
        try:
            take_from_elsewhere(orch)
            break
        except InfrastructureError:
            first.send_signal(signal.SIGCONT)
    before = orch.records()
    first.send_signal(signal.SIGCONT)
    ended = orch.end(first, timeout=PATIENCE_S)
    assert ended.code == 5, ended.err
    assert "taken over by process 7 on elsewhere" in ended.err
    assert orch.records() == before
    lines = len(diary_lines(diary))
    time.sleep(1)
    assert len(diary_lines(diary)) == lines

    refused = orch.run("resume", "toy-1", *LOCAL, timeout=PATIENCE_S)
    assert refused.code == 5
    assert "process 7 on elsewhere" in refused.err
    shown = orch.run("status", "toy-1", "--json", timeout=PATIENCE_S).json
    assert shown["driver"].startswith("process 7 on elsewhere")
    assert shown["state"] == "RUNNING"
    stopped = orch.run("stop", "toy-1", timeout=PATIENCE_S)
    assert stopped.code == 2
    assert "another home" in stopped.err
    pause(orch, orch.start("resume", "toy-1", *LOCAL, "--take-over"))
    assert has_no_gap(orch)
    assert lease(orch) is None


@pytest.mark.fault(
    "`--take-over`", phase="mid-trial, on Ray", outcome="the old driver exits 5, its workers train no more"
)
@pytest.mark.slow
@pytest.mark.ray
def test_on_ray_a_driver_that_is_taken_over_lets_its_workers_go(orch, tmp_path):
    diary = tmp_path / "diary"
    resources = {"cpu": 1, "gpu": 0.0, "max_concurrent": 2, "checkpoint_interval_s": 0.0}
    config = {**LONG, "diary": str(diary)}
    first = orch.start("sweep", orch.file(trials=2, config=config, resources=resources))
    wait_for(lambda: orch.num_measured() > 4, what="measurements", timeout=PATIENCE_S)
    take_from_elsewhere(orch)
    before = orch.records()
    ended = orch.end(first, timeout=PATIENCE_S)
    assert ended.code == 5, ended.err
    assert "taken over by process 7 on elsewhere" in ended.err
    assert "Traceback" not in ended.err
    assert orch.records() == before
    lines = len(diary_lines(diary))
    time.sleep(1.5)
    assert len(diary_lines(diary)) == lines, "no worker trains on"
