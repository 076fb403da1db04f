"""A launch that is killed at any step: the same command works again, or the sweep is there and can be resumed."""

import subprocess
import sys

import pytest

from orchestrator.errors import UsageError
from orchestrator.sweeps import overview, read
from tests.conftest import ROOT
from tests.faults.die_while_launching import NOWHERE, STEPS
from tests.support.home import House
from tests.support.no_mlflow import without_mlflow
from tests.support.specs import toy_spec

FIRST_THAT_IS_A_SWEEP = "half of the record is stored"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder with a home for each step at which a launch was killed."""
    root = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.faults.die_while_launching", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def no_mlflow(monkeypatch):
    without_mlflow(monkeypatch)


@pytest.mark.fault(
    "driver `kill -9`", phase="making a sweep: {step}", outcome="the same command works, or `orch resume` does"
)
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("step", STEPS)
def test_the_same_command_works_or_the_sweep_can_be_resumed(killed, no_mlflow, step):
    house = House(killed / str(list(STEPS).index(step)), tracking=NOWHERE)
    is_sweep = list(STEPS).index(step) >= list(STEPS).index(FIRST_THAT_IS_A_SWEEP)
    if is_sweep:
        with pytest.raises(UsageError, match="'mine' exists already; choose another --name or resume it"):
            house.launch(toy_spec(trials=2), name="mine", sweep_id="id-2")
        assert read.show(house.home, "mine").state == "INTERRUPTED"
        summary = house.resume("mine")
    else:
        summary = house.launch(toy_spec(trials=2), name="mine", sweep_id="id-2")
    assert (summary.state, len(summary.trials)) == ("COMPLETE", 2)
    assert all([m.step for m in trial.measurements] == [0, 1, 2, 3, 4] for trial in summary.trials)
    assert [s.sweep.name for s in overview.list_sweeps(house.home)] == ["mine"]
    assert read.show(house.home, "mine").driver is None
