"""The probe: in this process for most, once in a process of its own as the plan does it."""

import pytest

from orchestrator.execution.local import LocalRunner
from orchestrator.spec import dump
from orchestrator.sweeps.planning.probe import NUM_EPOCHS, NUM_TRIALS, _short, probe, probe_here
from tests.support.home import ROOT, House
from tests.support.specs import toy_spec
from tests.support.toys import Mode

CONFIG = {"epoch_s": 0.02, "start_s": 0.05, "epochs": 5}


def local(paths):
    """A runner that pickles by its name."""
    return LocalRunner()


def short(house, spec, corners=()):
    return dump(_short(house.checked(spec), corners))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_a_probe_measures_short_trials_and_leaves_nothing(house):
    spec = toy_spec(config=CONFIG, trials=2, pruner={"type": "asha"})
    probed = probe_here(short(house, spec), local, num_corners=0, directory=ROOT)
    assert probed.failure == ""
    assert probed.capacity.max_concurrent == 1
    pace = probed.pace
    assert (len(pace.trials), pace.at_once, pace.longest, pace.corners) == (2, 1, None, None)
    assert 0.05 <= pace.start_s < 1.0
    assert 0.02 <= pace.epoch_s < 0.5
    assert pace.host_bytes > 10**7
    assert pace.checkpoint_bytes > 100
    assert not house.home.root.exists()


def test_it_trains_the_corners_first_and_tells_them_apart(house):
    space = {"x": {"type": "float", "low": -1, "high": 1}, "epoch_s": {"type": "categorical", "choices": [0.01, 0.1]}}
    corners = [{"x": 0.0, "epoch_s": 0.1}, {"x": 0.0, "epoch_s": 0.01}]
    spec = toy_spec(space=space, trials=3, config={"epochs": 2})
    pace = probe_here(short(house, spec, corners), local, num_corners=2, directory=ROOT).pace
    cheap, dear = pace.corners
    assert cheap.epoch_s < 0.1 <= dear.epoch_s
    assert len(pace.trials) == 1


def test_it_says_why_no_trial_trains(house):
    spec = toy_spec(config={"mode": Mode.RAISE, "at": 0}, trials=3)
    probed = probe_here(short(house, spec), local, num_corners=0, directory=ROOT)
    assert probed.pace is None
    assert probed.failure == "ValueError: no luck"


def test_what_is_probed_is_short_and_ends_by_itself(house):
    spec = toy_spec(
        trials=500,
        config={"epochs": 90},
        pruner={"type": "median"},
        stop=[{"type": "collapse"}],
        floors={"noise": 0.5},
        confirm={"top": 2},
        budget={"trials": 500, "wall_hours": 1e-9},
        resources={"gpu": 0.0, "cpu": 1},
    )
    probed = _short(house.checked(spec), [])
    assert (probed.budget.trials, probed.budget.wall_hours, probed.confirm) == (NUM_TRIALS, None, None)
    assert [rule.type for rule in probed.stop] == ["max_epochs"]
    assert probed.stop[0].epochs == NUM_EPOCHS
    assert (probed.pruner.type, probed.floors, probed.resources.max_concurrent) == ("none", {}, 8)


@pytest.mark.slow
def test_a_probe_in_a_process_of_its_own(house, capfd):
    """Its memory is the trial's own, and what a trainable prints is no part of the plan."""
    probed = probe(house.checked(toy_spec(config=CONFIG, trials=2)), local, corners=[], directory=ROOT)
    assert probed.pace.host_bytes > 10**8
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_a_probe_that_is_killed_says_so(house):
    spec = toy_spec(config={"mode": Mode.DIE, "at": 1}, trials=2)
    probed = probe(house.checked(spec), local, corners=[], directory=ROOT)
    assert probed.pace is None
    assert probed.failure == "its process was killed; was there too little memory?"
