"""Proposals lie in the space, follow the seed, and do not notice that the ledger was closed and reopened."""

import itertools
import statistics

import pytest

from orchestrator.errors import UsageError
from orchestrator.study import Storage, SweepRecord
from orchestrator.trial import Cause, Ending, Measurement
from tests.support.specs import EVERY_KIND, FINITE, toy_spec

SAMPLERS = {
    "tpe": {"type": "tpe", "startup_trials": 4},
    "random": {"type": "random"},
    "qmc": {"type": "qmc"},
    "grid": {"type": "grid"},
}


def spec(sampler, **sections):
    grid = sampler == "grid"
    sections.setdefault("space", FINITE if grid else EVERY_KIND)
    sections.setdefault("constraints", ["depth < 3 or not flag"] if grid else ["a < b"])
    return toy_spec(sampler=SAMPLERS[sampler], **{"trials": 16, **sections})


def quality(params):
    """Best at a = 0.2, b = 0.8, depth = 3; a space without one of them does not lose by it."""
    wanted = {"a": 0.2, "b": 0.8, "depth": 3}
    return -sum((params.get(name, best) - best) ** 2 for name, best in wanted.items())


def finish(ledger, suggestion):
    ledger.report(suggestion.number, Measurement(1, {"val/score": quality(suggestion.params)}, 0.1, 1))
    ledger.tell(suggestion.number, Ending(Cause.FINISHED, "finished"))


def sequence(sweep_spec, *, count=10, at_once=1, storage=None, reopen=None):
    """The parameters of the first trials; `at_once` are asked before the first of them is told."""
    storage = storage or Storage("sqlite://")
    ledger = storage.create(SweepRecord("s-1", "id", sweep_spec, created_ms=0, fixed={"epochs": 3}))
    params = []
    while len(params) < count:
        ledger = reopen() if reopen else ledger
        asked = [ledger.ask() for _ in range(at_once)]
        if None in asked:
            break
        for suggestion in asked:
            params.append(suggestion.params)
            finish(ledger, suggestion)
    return params


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_proposals_lie_in_the_space_and_satisfy_its_constraints(desk, sampler):
    sweep_spec = spec(sampler)
    ledger = desk.create(sweep_spec, fixed={})
    for _ in range(14):
        suggestion = ledger.ask()
        if suggestion is None:
            break
        assert ledger.space.contains(suggestion.params), suggestion.params
        assert ledger.space.is_feasible(suggestion.params), suggestion.params
        finish(ledger, suggestion)
    stored = desk.reopen().records()
    assert len(stored) == min(14, ledger.limit)
    assert all(ledger.space.contains(record.params) for record in stored)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_proposes_the_same_and_another_seed_does_not(desk, sampler):
    first = sequence(spec(sampler))
    assert sequence(spec(sampler)) == first
    assert sequence(spec(sampler, seed=1)) != first


@pytest.mark.parametrize("pruner", [{"type": "none"}, {"type": "hyperband"}])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_ledger_reopened_after_each_trial_proposes_what_an_open_one_does(desk, sampler, pruner):
    # Hyperband's brackets hang on the sweep's name, so both sweeps are called the same, in two ledgers.
    uninterrupted = sequence(spec(sampler, pruner=pruner))
    reopened = sequence(spec(sampler, pruner=pruner), storage=desk.storage(), reopen=lambda: desk.storage().open("s-1"))
    assert reopened == uninterrupted


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_trials_asked_before_any_has_ended_differ(sampler):
    params = sequence(spec(sampler), count=4, at_once=4)
    assert all(a != b for a, b in itertools.combinations(params, 2))


def test_every_parameter_of_a_quasi_random_sequence_moves():
    params = sequence(spec("qmc", constraints=[]), count=16)
    for name in EVERY_KIND:
        values = [p[name] for p in params if name in p]
        assert len(set(values)) > 1 or name == "mode", name


def test_quasi_random_points_cover_evenly():
    space = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in ("u", "v")}
    params = sequence(spec("qmc", space=space, constraints=[]), count=16)
    for name in space:
        assert sorted(int(p[name] * 16) for p in params) == list(range(16))  # Sobol: one point in each sixteenth


def test_a_grid_visits_each_feasible_point_once_and_ends(desk):
    sweep_spec = spec("grid", trials=1000)
    ledger = desk.create(sweep_spec, fixed={})
    points = list(ledger.space.grid())
    assert ledger.limit == len(points)
    visited = []
    while (suggestion := ledger.ask()) is not None:
        visited.append(dict(suggestion.params))
        finish(ledger, suggestion)
    assert sorted(visited, key=repr) == sorted(points, key=repr)
    assert visited != points  # in an order of its own


def test_ask_ends_with_the_budget(desk):
    ledger = desk.create(spec("random", trials=2), fixed={})
    assert [ledger.ask() is None for _ in range(4)] == [False, False, True, True]
    assert ledger.num_asked == 2
    assert desk.reopen().ask() is None


def test_constraints_that_leave_almost_nothing_are_met_by_uniform_draws(desk):
    ledger = desk.create(spec("tpe", constraints=["a + 0.01 > 1"]), fixed={})
    for _ in range(6):
        suggestion = ledger.ask()
        assert suggestion.params["a"] > 0.99
        finish(ledger, suggestion)


def test_constraints_that_leave_nothing_are_an_error_and_no_endless_search(desk):
    ledger = desk.create(spec("random", constraints=["a > 2"]), fixed={})
    with pytest.raises(UsageError, match="no configuration satisfies the constraints"):
        ledger.ask()


def test_the_model_beats_random_draws():
    space = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in ("a", "b")}

    def best(sampler, seed):
        sweep_spec = spec(sampler, seed=seed, space=space, constraints=[], trials=30)
        return max(map(quality, sequence(sweep_spec, count=30)))

    seeds = range(4)
    assert statistics.mean(best("tpe", s) for s in seeds) > statistics.mean(best("random", s) for s in seeds)
