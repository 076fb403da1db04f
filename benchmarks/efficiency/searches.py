"""Three ways to spend the same epochs, a trial at a time: Orch's default, random search, Optuna's TPE as it comes.

Orch runs over its own ledger, in memory: the same sampler, the same pruner, the same order of writing as a real sweep.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

import optuna

from benchmarks.efficiency.problems import Problem
from benchmarks.efficiency.tasks import Scalar
from orchestrator.spec import SweepSpec
from orchestrator.study import Ledger
from orchestrator.trial import Cause, Ending, Measurement

METRIC = "val/objective"
Search = Callable[..., Iterator[float]]
"""`search(problem, seed=...)`: the value measured at each epoch that is spent, without end."""


def orch(problem: Problem, *, seed: int) -> Iterator[float]:
    """TPE and asynchronous successive halving with the defaults of the sweep file."""
    yield from _through_the_ledger(problem, seed, {"sampler": {"type": "tpe"}, "pruner": {"type": "asha"}})


def random_search(problem: Problem, *, seed: int) -> Iterator[float]:
    """Independent uniform draws, each trained in full."""
    yield from _through_the_ledger(problem, seed, {"sampler": {"type": "random"}})


def plain_tpe(problem: Problem, *, seed: int) -> Iterator[float]:
    """`optuna.create_study()` with its default sampler, each trial trained in full."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    while True:
        trial = study.ask()
        curve = problem.curve({name: _suggest(trial, name, domain) for name, domain in problem.space.items()})
        yield from curve[1:]
        study.tell(trial, max(curve[1:]))


SEARCHES: Mapping[str, Search] = {"orch": orch, "random": random_search, "optuna tpe": plain_tpe}


def _through_the_ledger(problem: Problem, seed: int, how: Mapping[str, object]) -> Iterator[float]:
    ledger = _ledger(problem, seed, how)
    while (suggestion := ledger.ask()) is not None:
        curve = problem.curve(cast(Mapping[str, Scalar], suggestion.params))
        ending: Ending | None = None
        for step, value in enumerate(curve):
            if step:
                yield value
            last = step == len(curve) - 1
            ending = ledger.report(suggestion.number, Measurement(step, {METRIC: value}, 0.0, step), last=last)
            if ending is not None:
                break
        ledger.tell(suggestion.number, ending or Ending(Cause.FINISHED, "finished"))


def _ledger(problem: Problem, seed: int, how: Mapping[str, object]) -> Ledger:
    spec = SweepSpec.model_validate(
        {
            "name": "efficiency",
            "trainable": "tabulated",
            "objective": {"metric": METRIC, "direction": "maximize"},
            "space": problem.space,
            "budget": {"trials": 10_000},
            "seed": seed,
            **how,
        }
    )
    return Ledger(optuna.create_study(direction="maximize"), spec=spec, fixed={"epochs": 9})


def _suggest(trial: optuna.Trial, name: str, domain: Mapping[str, object]) -> Scalar:
    if domain["type"] == "categorical":
        return cast(Scalar, trial.suggest_categorical(name, cast(list[str], domain["choices"])))
    low, high = cast(float, domain["low"]), cast(float, domain["high"])
    return trial.suggest_float(name, low, high, log=bool(domain.get("log")))
