"""Points of the file come first; one that stands there twice is a replicate; a finite space ends the sweep."""

import optuna
import pytest

from orchestrator.study import Ledger
from orchestrator.study.proposals import Proposal
from orchestrator.trial import Cause, Ending, Measurement
from tests.support.specs import toy_spec

X = {"type": "float", "low": -1.0, "high": 1.0}
SPACE = {"kind": {"type": "categorical", "choices": ["a", "b"]}, "x": X, "z": {**X, "when": {"kind": "b"}}}
TWELVE = {"kind": {"type": "categorical", "choices": ["a", "b", "c", "d"]}, "n": {"type": "int", "low": 1, "high": 3}}


def ledger_of(spec, *, proposer=None, fixed=None):
    return Ledger(optuna.create_study(direction="maximize"), spec=spec, fixed=fixed or {}, proposer=proposer)


def tell(ledger, suggestion, value=0.5):
    ledger.report(suggestion.number, Measurement(1, {"val/score": value}, 0.1, 1))
    ledger.tell(suggestion.number, Ending(Cause.FINISHED, "finished"))


def all_of(ledger):
    asked = []
    while (suggestion := ledger.ask()) is not None:
        asked.append(suggestion)
        tell(ledger, suggestion, value=float(len(asked)))
    return asked


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_points_run_first_and_the_sampler_fills_them_up(sampler):
    points = [{"x": 0.25, "kind": "a"}, {"kind": "b"}, {"x": 0.5}]
    ledger = ledger_of(toy_spec(space=SPACE, points=points, sampler={"type": sampler}, trials=6))
    asked = all_of(ledger)
    assert len(asked) == 6
    assert asked[0].params == points[0]
    assert asked[1].params["kind"] == "b"
    assert set(asked[1].params) == {"kind", "x", "z"}
    assert asked[2].params["x"] == 0.5
    assert all(ledger.space.contains(suggestion.params) for suggestion in asked)


def test_a_point_that_stands_there_twice_is_a_replicate_with_the_next_seeds():
    points = [
        {"x": 0.25, "kind": "a"},
        {"kind": "b"},
        {"kind": "a", "x": 0.25},
        {"kind": "b"},
        {"x": 0.25, "kind": "a"},
    ]
    ledger = ledger_of(toy_spec(space=SPACE, points=points, repeats=2, seed=10, trials=6))
    asked = all_of(ledger)
    records = ledger.records()
    assert [record.replicate_of for record in records] == [None, None, 0, 1, 0, None]
    assert [record.seeds for record in records[:5]] == [(10, 11), (10, 11), (12, 13), (12, 13), (14, 15)]
    assert asked[3].params == asked[1].params, "what the sampler filled up is repeated too"


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsga2", "brute_force"])
def test_twelve_points_are_twelve_trials(sampler):
    for seed in range(5):
        ledger = ledger_of(toy_spec(space=TWELVE, sampler={"type": sampler}, trials=20, seed=seed))
        assert ledger.limit == 12
        params = [tuple(suggestion.params.values()) for suggestion in all_of(ledger)]
        assert len(params) == len(set(params)) == 12
        assert ledger.exhausted == "each of the 12 configurations of the space was tried"


def test_replicates_are_not_lost_where_the_space_is_small():
    points = [{"kind": "a", "n": 1}, {"kind": "a", "n": 1}]
    ledger = ledger_of(toy_spec(space=TWELVE, points=points, trials=20))
    assert ledger.limit == 13
    assert len(all_of(ledger)) == 13


def test_startup_is_quasi_random_and_counts_what_was_told():
    square = {"u": {"type": "float", "low": 0.0, "high": 1.0}, "v": {"type": "float", "low": 0.0, "high": 1.0}}
    ledger = ledger_of(toy_spec(space=square, sampler={"type": "tpe", "startup_trials": 4}, trials=20))
    sobol = ledger_of(toy_spec(space=square, sampler={"type": "qmc"}, trials=20))
    asked = [ledger.ask() for _ in range(8)]
    assert [suggestion.params for suggestion in asked] == [sobol.ask().params for _ in range(8)]
    assert sorted(int(suggestion.params["u"] * 8) for suggestion in asked) == list(range(8))
    for suggestion in asked[:3]:
        tell(ledger, suggestion, value=suggestion.params["u"])
    assert ledger.ask().params == sobol.ask().params, "three are told"
    tell(ledger, asked[3], value=0.0)
    assert ledger.ask().params != sobol.ask().params


def test_a_proposer_that_repeats_a_trial_gets_the_next_seeds():
    class Twice:
        def next(self, trials):
            known = [Proposal({"x": 0.1}), Proposal({"x": 0.1}, replicate_of=0), Proposal({"x": 5.0}, seeds=(7,))]
            return known[len(trials)] if len(trials) < len(known) else None

    ledger = ledger_of(toy_spec(space={"x": X}), proposer=Twice())
    all_of(ledger)
    assert [(r.params["x"], r.seeds, r.replicate_of) for r in ledger.records()] == [
        (0.1, (0,), None),
        (0.1, (1,), 0),
        (5.0, (7,), None),
    ]
    assert ledger.study.trials[2].params == {}, "outside of the space the sampler knows nothing of it"


def test_a_trial_is_stored_in_one_go(monkeypatch):
    ledger = ledger_of(toy_spec(space=SPACE, sampler={"type": "tpe"}, trials=3))
    storage, stored = ledger.study._storage, []
    for name in ("set_trial_param", "set_trial_user_attr", "set_trial_system_attr", "create_new_trial"):
        original = getattr(storage, name)
        monkeypatch.setattr(storage, name, lambda *a, n=name, f=original, **k: (stored.append(n), f(*a, **k))[1])
    ledger.ask()
    assert stored == ["create_new_trial"]
