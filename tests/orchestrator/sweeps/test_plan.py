"""A plan says what a sweep would do, agrees with what it then does, and leaves nothing behind."""

import pytest

from orchestrator.sweeps.plan import mean_epochs, plan
from tests.support.home import ROOT
from tests.support.specs import toy_spec


@pytest.mark.parametrize(
    ("pruner", "expected"),
    [
        ({"type": "none"}, 9.0),
        ({"type": "median"}, 9.0),
        ({"type": "asha", "min_epochs": 1, "reduction_factor": 3}, 1 + 2 / 3 + 6 / 9),
        ({"type": "asha", "min_epochs": 20}, 9.0),
    ],
)
def test_the_epochs_that_a_pruner_leaves(pruner, expected):
    assert mean_epochs(toy_spec(pruner=pruner), 9) == pytest.approx(expected)


def test_a_plan_shows_the_configurations_that_the_sweep_then_tries(house):
    spec = toy_spec(trials=5, sampler={"type": "tpe", "startup_trials": 3})
    made = plan(house.checked(spec), house.home, directory=ROOT, probe=False)
    assert not house.home.root.exists()
    assert (made.trials, made.epochs, made.pace, made.estimated_s) == (5, 4, None, None)
    summary = house.launch(spec)
    assert [dict(c) for c in made.configurations] == [dict(t.params) for t in summary.trials[:3]]
    again = plan(house.checked(spec), house.home, directory=ROOT, probe=False)
    assert again.pace.source == "sweep toy-1"
    assert again.estimated_s > 0


def test_a_probe_measures_one_epoch(house):
    spec = toy_spec(config={"epoch_s": 0.05, "epochs": 3})
    made = plan(house.checked(spec), house.home, directory=ROOT, probe=True)
    assert made.pace.epoch_s == pytest.approx(0.05, abs=0.05)
    assert made.to_json()["expected_epochs"] == 12
    assert not house.home.root.exists()


def test_a_grid_is_as_long_as_it_is(house):
    spec = toy_spec(
        trials=100, sampler={"type": "grid"}, space={"kind": {"type": "categorical", "choices": ["a", "b"]}}
    )
    made = plan(house.checked(spec), house.home, directory=ROOT, probe=False)
    assert (made.trials, len(made.configurations)) == (2, 2)
