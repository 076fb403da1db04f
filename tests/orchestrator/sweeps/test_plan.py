"""What a plan says before anything runs, and that it is what the sweep then does."""

from pathlib import Path

import pytest

from orchestrator.analysis.budgets import Limit
from orchestrator.execution.local import LocalRunner
from orchestrator.execution.machine import memory_bytes, num_cpus, peak_host_bytes
from orchestrator.sweeps.plan import Asked, Concurrency, Disk, Target, plan
from tests.support.home import House
from tests.support.specs import toy_spec

ROOT = Path(__file__).parents[3]
LOCAL = Target(lambda paths: LocalRunner(), is_local=True)
HERE = Target(lambda paths: LocalRunner(), is_local=False)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def planned(house, spec, *, target=LOCAL, **asked):
    return plan(house.checked(spec), house.home, target, Asked(ROOT, probe=False, **asked))


def test_without_a_probe_and_an_earlier_sweep_no_time_is_known(house):
    made = planned(house, toy_spec(trials=5, sampler={"type": "tpe", "startup_trials": 3}))
    assert not house.home.root.exists()
    assert (made.trials, made.epochs, made.pace, made.forecast, made.disk) == (5, 4, None, None, None)
    assert made.lengths == "every trial runs to its end"


def test_an_earlier_sweep_gives_intervals_and_the_configurations_are_those_that_run(house):
    spec = toy_spec(trials=5, config={"epoch_s": 0.02, "epochs": 4}, sampler={"type": "tpe", "startup_trials": 3})
    made = planned(house, spec)
    summary = house.launch(spec)
    assert [dict(c) for c in made.configurations] == [dict(t.params) for t in summary.trials[:3]]
    again = planned(house, spec, budget={Limit.EPOCHS: 10.0})
    assert again.pace.source == "sweep toy-1, 1 at a time"
    assert (again.forecast.epochs.low, again.forecast.epochs.high) == (20, 20)
    train = again.forecast.device_hours
    assert train.low * 3600 < summary.train_s < train.high * 3600
    assert again.purchase.forecast.epochs.mid == 10
    assert again.purchase.share == 0.5
    assert again.disk.needed_bytes == 5 * 3 * again.pace.checkpoint_bytes
    assert again.disk.free_bytes > 0
    document = again.to_json()
    assert document["forecast"]["epochs"]["mid"] == 20
    assert document["purchase"]["budget"] == {"epochs": 10.0}


def test_the_files_own_budget_cuts_the_forecast(house):
    spec = toy_spec(trials=4, config={"epochs": 4})
    house.launch(spec)
    made = planned(house, toy_spec(config={"epochs": 4}, budget={"trials": 4, "epochs": 6}))
    assert made.forecast.epochs.high == 6
    assert made.whole.epochs.low == 16


def test_a_grid_is_as_long_as_it_is(house):
    spec = toy_spec(
        trials=100, sampler={"type": "grid"}, space={"kind": {"type": "categorical", "choices": ["a", "b"]}}
    )
    made = planned(house, spec)
    assert (made.trials, len(made.configurations)) == (2, 2)


def test_epochs_that_are_searched_are_drawn(house):
    made = planned(house, toy_spec(space={"epochs": {"type": "int", "low": 2, "high": 9}}))
    assert made.epochs == 9


def test_the_confirmation_is_counted(house):
    made = planned(house, toy_spec(confirm={"top": 2, "seeds": 5}))
    assert made.confirmation.trainings == (9, 15)


@pytest.mark.parametrize(("most", "expected"), [(None, num_cpus()), (1, 1)])
def test_as_many_run_as_fit_here(house, most, expected):
    resources = {"gpu": 0.0} if most is None else {"gpu": 0.0, "max_concurrent": most}
    assert planned(house, toy_spec(resources=resources), target=HERE).max_concurrent == expected
    assert planned(house, toy_spec(resources=resources)).max_concurrent == 1


def test_memory_limits():
    assert not Concurrency(4, on_gpu=False, devices=1.0).is_too_much
    assert Concurrency(4, on_gpu=False, devices=1.0, by_memory=3).is_too_much
    assert Disk(5, 3).needed_bytes > Disk(5, 3).free_bytes


def test_this_process_has_used_some_of_the_memory_that_there_is():
    assert 10**7 < peak_host_bytes() < memory_bytes()
