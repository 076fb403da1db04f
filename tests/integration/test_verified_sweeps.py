"""`orch verify` of real sweeps: while they run, after their driver was killed, and when they were resumed."""

import os
import signal

import psutil
import pytest

from tests.support.commands import wait_for
from tests.support.specs import TWO_WORKERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SPACE = {"x": {"type": "float", "low": 0.0, "high": 1.0}}


def workers(sweep_id):
    titles = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [title for title in titles if title.startswith(f"ray::orch-{sweep_id}")]


def verified(orch, *arguments):
    done = orch.run("verify", "toy-1", "--json", *arguments, timeout=240)
    assert done.code == 0, done.out or done.err
    return {check["check"]: check for check in done.json["checks"]} | {"state": done.json["state"]}


def interrupted_and_resumed(orch, *arguments):
    """Verify a sweep while it runs, when its driver was killed, and when it was resumed; returns the three."""
    file = orch.file(space=SPACE, config={"epoch_s": 0.5}, trials=4, resources=TWO_WORKERS)
    driver = orch.start("sweep", file, *arguments)
    wait_for(lambda: orch.records() and orch.records()[0].measurements, what="a measurement", timeout=480)
    os.kill(driver.pid, signal.SIGSTOP)  # it still holds the sweep, and perhaps the lock of MLflow's database
    running = verified(orch, "--no-mlflow")
    os.kill(driver.pid, signal.SIGKILL)
    orch.end(driver)
    killed = verified(orch)
    done = orch.run("resume", "toy-1", *arguments, timeout=480)
    assert done.code == 0, done.err
    resumed = verified(orch)
    assert (running["state"], killed["state"], resumed["state"]) == ("RUNNING", "INTERRUPTED", "COMPLETE")
    assert running["processes"]["health"] == "not applicable"
    assert "go on with orch resume" in killed["trials.states"]["note"]
    return running, killed, resumed


def test_one_worker_killed_and_resumed_tries_what_an_uninterrupted_one_would(orch):
    _, _, resumed = interrupted_and_resumed(orch, "--runner", "local")

    assert (resumed["parameters"]["health"], resumed["parameters"]["note"]) == ("ok", "4 trials drafted again")


@pytest.mark.ray
def test_two_workers_on_ray(orch):
    _, _, resumed = interrupted_and_resumed(orch)

    assert "same time" in resumed["parameters"]["note"]
    (folder,) = (orch.home / "sweeps").iterdir()
    assert not workers(folder.name)
