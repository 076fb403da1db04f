"""How many epochs trials run under each pruner."""

import numpy as np
import pytest

from orchestrator.sweeps.planning.earlier import Lengths
from orchestrator.sweeps.planning.survival import Rehearsed, Remembered
from tests.support.specs import toy_spec

ASHA = {"type": "asha", "min_epochs": 1, "reduction_factor": 3}
PRUNERS = [
    ASHA,
    {"type": "hyperband", "min_epochs": 1, "reduction_factor": 3},
    {"type": "median", "startup_trials": 3},
    {"type": "percentile", "startup_trials": 3},
    {"type": "wilcoxon"},
    {"type": "patient", "patience": 2, "pruner": ASHA},
]


def draw(*, epochs=9, trials=12, times=6, guided_from=99, **sections):
    """Lengths of several sweeps."""
    survival = Rehearsed(toy_spec(trials=trials, **sections), [epochs], trials, 1, guided_from)
    rng = np.random.default_rng(0)
    return [survival.draw(rng) for _ in range(times)]


def test_without_a_pruner_every_trial_is_full():
    assert draw() == [[9] * 12] * 6


@pytest.mark.parametrize("pruner", PRUNERS, ids=lambda pruner: pruner["type"])
def test_each_pruner_ends_some_trials_and_never_the_first(pruner):
    for lengths in draw(pruner=pruner, times=3):
        assert len(lengths) == 12
        assert all(1 <= length <= 9 for length in lengths)
    total = sum(map(sum, draw(pruner=pruner, times=3)))
    assert total < 3 * 12 * 9 or pruner["type"] == "wilcoxon"


def test_successive_halving_promotes_as_many_as_ranks_of_random_trials_say():
    """The i-th trial at a rung goes on if it is among the best max(1, i // 3) of the i that came, itself included."""
    promoted = [sum(length > 1 for length in lengths) for lengths in draw(pruner=ASHA, times=80)]
    expected = sum(max(1, i // 3) / i for i in range(1, 13))
    assert expected > 12 / 3, "more than at synchronous rungs"
    assert np.mean(promoted) == pytest.approx(expected, abs=0.5)


def test_a_sampler_that_learns_keeps_more_trials():
    """Later trials are better, so that more of them are promoted."""
    guided = draw(pruner=ASHA, times=30, guided_from=2)
    unguided = draw(pruner=ASHA, times=30)
    assert np.mean([sum(lengths) for lengths in guided]) > np.mean([sum(lengths) for lengths in unguided])


def test_a_rule_of_epochs_is_exact_and_others_are_assumed():
    assert draw(stop=[{"type": "max_epochs", "epochs": 4}]) == [[4] * 12] * 6
    drawn = draw(stop=[{"type": "plateau", "patience": 3}], times=20)
    assert all(length >= 4 for lengths in drawn for length in lengths)
    survival = Rehearsed(toy_spec(stop=[{"type": "plateau", "patience": 3}]), [9], 12, 1, 99)
    assert "0% to 60% of the trials stop early by rule (assumed)" in survival.source


def test_long_sweeps_are_played_in_part():
    (lengths,) = draw(pruner=ASHA, epochs=50, trials=400, times=1)
    assert len(lengths) == 400


def test_floors_are_not_rehearsed():
    assert draw(pruner=ASHA, floors={"noise": 0.5}, times=1)


def test_what_earlier_trials_ran_is_drawn_again():
    survival = Remembered(Lengths((1, 1, 3, 9), "sweep toy-1"), 40)
    lengths = survival.draw(np.random.default_rng(1))
    assert len(lengths) == 40
    assert set(lengths) <= {1, 3, 9}
    assert "sweep toy-1" in survival.source


def test_the_same_seed_draws_the_same():
    assert draw(pruner=ASHA, times=2) == draw(pruner=ASHA, times=2)
