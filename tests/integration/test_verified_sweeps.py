"""`orch verify` of real sweeps on Ray: while they run, after their driver was killed, and when they were resumed."""

import os
import signal

import psutil
import pytest

from tests.support.commands import Orch, wait_for
from tests.support.specs import TWO_WORKERS

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]
SPACE = {"x": {"type": "float", "low": 0.0, "high": 1.0}}


@pytest.fixture
def orch(tmp_path):
    made = Orch(tmp_path)
    yield made
    made.close()


def workers(sweep_id):
    titles = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [title for title in titles if title.startswith(f"ray::orch-{sweep_id}")]


def verified(orch):
    done = orch.run("verify", "toy-1", "--json", timeout=240)
    assert done.code == 0, done.out or done.err
    return {check["check"]: check for check in done.json["checks"]} | {"state": done.json["state"]}


def test_a_killed_sweep_is_interrupted_and_a_resumed_one_sound(orch):
    file = orch.file(space=SPACE, config={"epoch_s": 0.5}, trials=4, resources=TWO_WORKERS)
    driver = orch.start("sweep", file)
    wait_for(lambda: orch.records() and orch.records()[0].measurements, what="a measurement", timeout=240)
    (folder,) = (orch.home / "sweeps").iterdir()
    assert workers(folder.name)

    os.kill(driver.pid, signal.SIGSTOP)  # it still holds the sweep, and the sweep does not end meanwhile
    running = verified(orch)
    os.kill(driver.pid, signal.SIGKILL)
    orch.end(driver)
    killed = verified(orch)
    assert orch.run("resume", "toy-1", timeout=400).code == 0
    resumed = verified(orch)

    assert (running["state"], killed["state"], resumed["state"]) == ("RUNNING", "INTERRUPTED", "COMPLETE")
    assert running["processes"]["health"] == "not applicable"
    assert "go on with orch resume" in killed["trials.states"]["note"]
    assert "same time" in resumed["parameters"]["note"]
    assert not workers(folder.name)
