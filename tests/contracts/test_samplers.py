"""What every sampler owes: points of the space, never one twice, by the seed alone, whatever was closed in between."""

import itertools
from typing import get_args

import optuna
import pytest

from orchestrator.space import SearchSpace
from orchestrator.spec.model import Pruner, Sampler
from orchestrator.study import Ledger, SweepRecord, SweepState
from orchestrator.study.duplicates import Tried
from orchestrator.trial import Cause, Ending, Measurement, TrialState
from tests.support.specs import EVERY_KIND, FINITE, toy_spec

TOY = {
    "kind": {"type": "categorical", "choices": ["a", "b"]},
    "x": {"type": "float", "low": -1.0, "high": 1.0, "step": 0.5},
    "z": {"type": "int", "low": 0, "high": 4, "when": {"kind": "b"}},
}
SAMPLERS = {
    "tpe": {"startup_trials": 4},
    "gp": {"startup_trials": 4},
    "cmaes": {},
    "nsga2": {"population": 4},
    "nsga3": {"population": 4},
    "qmc": {},
    "random": {},
    "grid": {},
    "brute_force": {},
}
COUNT = dict.fromkeys(SAMPLERS, 14) | {"gp": 9}
FINITE_ONLY = ("grid", "brute_force")
POPULATION = "pbt"
"""Proposes stretches of trainings; its contract is in test_population."""


def types(union):
    """The `type:` of each member of one of the spec's unions."""
    return [get_args(member.model_fields["type"].annotation)[0] for member in get_args(get_args(union)[0])]


def sampler_spec(sampler, **sections):
    finite = sampler in FINITE_ONLY
    sections.setdefault("space", FINITE if finite else EVERY_KIND)
    sections.setdefault("constraints", ["depth < 3 or not flag"] if finite else ["a < b"])
    return toy_spec(sampler={"type": sampler, **SAMPLERS[sampler]}, **{"trials": 40, **sections})


def fresh(spec):
    """A ledger in memory."""
    directions = [objective.direction.value for objective in spec.objectives]
    study = optuna.create_study(study_name="s-1", directions=directions)
    return Ledger(study, spec=spec, fixed={"epochs": 3})


def finish(ledger, suggestion):
    """Best at a = 0.2, b = 0.8, depth = 3; some are pruned and some fail, as in life."""
    wanted = {"a": 0.2, "b": 0.8, "depth": 3}
    value = -sum((suggestion.params.get(name, best) - best) ** 2 for name, best in wanted.items())
    metrics = {"val/score": value, "val/f1": float(suggestion.params["kind"] == "linear"), "val/size": -value}
    ledger.report(suggestion.number, Measurement(1, metrics, 0.1, 1))
    cause = {4: Cause.PRUNED, 6: Cause.ERROR}.get(suggestion.number % 7, Cause.FINISHED)
    ledger.tell(suggestion.number, Ending(cause, cause.value))


def search(ledger, *, count, at_once=1):
    """The parameters of `count` more trials; `at_once` are open at a time."""
    params = []
    while len(params) < count:
        asked = [s for s in (ledger.ask() for _ in range(min(at_once, count - len(params)))) if s is not None]
        for suggestion in asked:
            params.append(suggestion.params)
            finish(ledger, suggestion)
        if not asked:
            break
    return params


def test_every_sampler_stands_here():
    assert {*SAMPLERS, POPULATION} == set(types(Sampler))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_proposals_lie_in_the_space_and_none_comes_twice(sampler):
    ledger = fresh(sampler_spec(sampler))
    params = [*search(ledger, count=5), *search(ledger, count=3, at_once=3), *search(ledger, count=COUNT[sampler] - 8)]
    assert len(params) == COUNT[sampler]
    assert all(ledger.space.contains(p) and ledger.space.is_feasible(p) for p in params)
    for position, point in enumerate(params):
        assert point not in Tried(ledger.space, params[:position])
    # Conditions are define-by-run: Optuna's trial has the active parameters and no others.
    for trial, point in zip(ledger.study.trials, params, strict=True):
        assert trial.params == point
        assert set(trial.distributions) == set(point)
        assert ("end" in trial.params) == (trial.params["kind"] != "constant")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_seed_decides_and_a_resumed_sweep_goes_on_as_an_open_one(desk, sampler):
    spec, count = sampler_spec(sampler), COUNT[sampler]
    first = search(fresh(spec), count=count)
    desk.storage().create(SweepRecord("s-1", "id", spec, created_ms=0, fixed={"epochs": 3}))
    parts = [search(desk.storage().open("s-1"), count=part) for part in (3, 3, count - 6)]
    assert [*parts[0], *parts[1], *parts[2]] == first
    assert search(fresh(sampler_spec(sampler, seed=1)), count=3) != first[:3]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_finite_space_is_tried_once_and_then_the_sweep_ends(sampler):
    space = {name: FINITE[name] for name in ("kind", "end", "depth")}
    ledger = fresh(sampler_spec(sampler, space=space, constraints=["depth < 3"], trials=100))
    points = list(SearchSpace(ledger.spec.space, ledger.spec.constraints).grid())
    assert ledger.limit == len(points) == 8
    assert ledger.exhausted == ""
    params = search(ledger, count=100, at_once=2)
    assert sorted(params, key=repr) == sorted(points, key=repr)
    assert ledger.exhausted == "each of the 8 configurations of the space was tried"


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2", "nsga3"])
def test_a_sampler_that_learns_reads_floors_and_further_objectives(sampler):
    further = [{"metric": "val/size", "direction": "minimize"}]
    plain = sampler_spec(sampler, further_objectives=further)
    floored = sampler_spec(sampler, further_objectives=further, floors={"val/f1": 0.5})
    params = [search(fresh(spec), count=COUNT[sampler]) for spec in (plain, floored)]
    assert params[0][:4] == params[1][:4]
    assert params[0] != params[1], "which trials miss the floor makes a difference"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_runs_a_sweep_to_its_end(desk, sampler):
    ends(desk, sampler, "asha")


@pytest.mark.parametrize("pruner", [pruner for pruner in types(Pruner) if pruner != "asha"])
def test_every_pruner_runs_a_sweep_to_its_end(desk, pruner):
    ends(desk, "tpe", pruner)


def ends(desk, sampler, pruner):
    extra = {"median": {"startup_trials": 1}, "percentile": {"startup_trials": 1}, "patient": {"patience": 1}}
    spec = toy_spec(
        trials=6,
        space=TOY,
        constraints=["x < 1"],
        sampler={"type": sampler, **SAMPLERS[sampler], **({"startup_trials": 2} if sampler == "tpe" else {})},
        pruner={"type": pruner, **extra.get(pruner, {})},
        config={"epochs": 3},
    )
    halt = desk.run(spec)
    assert halt.state is SweepState.COMPLETE
    ledger = desk.reopen()
    records = ledger.records()
    assert len(records) == 6
    assert {r.state for r in records} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert TrialState.COMPLETE in {r.state for r in records}
    assert all(ledger.space.contains(r.params) and ledger.space.is_feasible(r.params) for r in records)
    assert all(a.params != b.params for a, b in itertools.combinations(records, 2))
    assert pruner != "none" or all(r.state is TrialState.COMPLETE for r in records)
