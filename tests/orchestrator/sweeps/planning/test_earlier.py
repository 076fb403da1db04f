"""What earlier sweeps of the same question tell."""

import pytest

from orchestrator.spec.model import NoPruner
from orchestrator.sweeps.planning.earlier import earlier_lengths, earlier_pace
from tests.support.home import House
from tests.support.specs import toy_spec


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A home with one sweep, only read here."""
    house = House(tmp_path_factory.mktemp("earlier"))
    spec = toy_spec(config={"epoch_s": 0.02, "epochs": 3}, pruner={"type": "asha"})
    house.launch(spec)
    return house, spec


def test_a_sweep_of_the_same_question_tells_its_pace(done):
    house, spec = done
    pace = earlier_pace(spec, house.home, concurrency=1)
    assert pace.source == "sweep toy-1, 1 at a time"
    assert 0.02 <= pace.epoch_s < 0.5
    assert pace.host_bytes > 10**7
    assert pace.checkpoint_bytes > 100
    assert pace.longest == 3


def test_another_search_of_the_same_trainable_has_the_same_pace(done):
    house, spec = done
    other = spec.model_copy(update={"pruner": NoPruner(), "name": "other"})
    assert earlier_pace(other, house.home, concurrency=None) is not None
    assert earlier_lengths(other, house.home) is None, "another pruner cuts elsewhere"


@pytest.mark.parametrize("update", [{"config": {"epochs": 3}}, {"repeats": 2}, {"trainable": "multitask"}])
def test_another_training_has_another_pace(done, update):
    house, spec = done
    assert earlier_pace(spec.model_copy(update=update), house.home, concurrency=1) is None


def test_two_workers_are_slower_than_one(done):
    house, spec = done
    assert earlier_pace(spec, house.home, concurrency=2) is None


def test_the_same_pruner_on_the_same_space_tells_how_long_trials_are(done):
    house, spec = done
    lengths = earlier_lengths(spec, house.home)
    assert (len(lengths.epochs), lengths.source) == (4, "sweep toy-1")
    assert 3 in lengths.epochs
    assert earlier_lengths(spec.model_copy(update={"space": {}}), house.home) is None


def test_a_home_that_is_not_there_is_not_made(tmp_path):
    house = House(tmp_path)
    assert earlier_pace(toy_spec(), house.home, concurrency=1) is None
    assert not house.home.root.exists()
