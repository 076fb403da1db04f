"""Which part of the variance of trials' values each parameter explains alone: functional ANOVA, with branches.

A forest of Optuna's is fitted to trials that share their parameters. A parameter of a branch is judged among the
trials of its branch, and counts by the part of all variance that lies within it. Called by `importance`.
"""

import math
from collections.abc import Sequence

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, create_trial

MIN_TRIALS = 4
"""Fewer trials of a branch say nothing of its parameters."""
NUM_TREES = 32
SLOW_IMPORTS = ("optuna.importance._fanova",)
"""Imported when a sweep ends; its driver imports them while it waits for its runner."""


def variance_shares(trials: Sequence[FrozenTrial], *, seed: int) -> dict[str, float]:
    """Parameter to its part, which sum to 1; empty where the values do not vary or nothing explains them.

    Args:
        trials: complete ones.
        seed: of the forest.

    Source: Hutter, Hoos and Leyton-Brown 2014, ICML, PMLR 32, 754-762.
    """
    branches: dict[frozenset[int], list[str]] = {}
    for name in dict.fromkeys(name for trial in trials for name in trial.params):
        active = frozenset(place for place, trial in enumerate(trials) if name in trial.params)
        branches.setdefault(active, []).append(name)
    found: dict[str, float] = {}
    for active, names in branches.items():
        within = _within([trials[place] for place in sorted(active)], seed=seed)
        found |= {name: within.get(name, 0.0) for name in names}
    total = sum(found.values())
    return {name: share / total for name, share in found.items()} if total else {}


def _within(trials: Sequence[FrozenTrial], *, seed: int) -> dict[str, float]:
    """Parameter to the squared deviation that it explains among `trials`, which all have it."""
    values = np.array([trial.value for trial in trials])
    deviation = float(((values - values.mean()) ** 2).sum())
    if len(trials) < MIN_TRIALS or not deviation > 0:
        return {}
    from optuna.importance import FanovaImportanceEvaluator  # scikit-learn: more than a second, and few commands ask

    study = optuna.create_study()
    study.add_trials([_even(trial) for trial in trials])
    shares = FanovaImportanceEvaluator(n_trees=NUM_TREES, seed=seed).evaluate(study)
    return {name: deviation * float(share) for name, share in shares.items()}


def _even(trial: FrozenTrial) -> FrozenTrial:
    """The trial with logarithms in the place of log-scaled values: the forest weighs ranges by their width."""
    params, distributions = dict(trial.params), dict(trial.distributions)
    for name, distribution in trial.distributions.items():
        if isinstance(distribution, FloatDistribution | IntDistribution) and distribution.log:
            params[name] = math.log(params[name])
            distributions[name] = FloatDistribution(math.log(distribution.low), math.log(distribution.high))
    return create_trial(value=trial.value, params=params, distributions=distributions)
