"""From a sampler spec to an Optuna sampler that proposes whole feasible configurations. Called by the ledger's ask."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from orchestrator.errors import UsageError
from orchestrator.space import Categorical, Fixed, Float, Int, Parameter, SearchSpace, corners
from orchestrator.spec.model import GridSampler, QmcSampler, SweepSpec, TpeSampler
from orchestrator.study.points import grid_point, point_sampler, sobol_point
from orchestrator.trial import Value

MODEL_TRIES = 100
RANDOM_TRIES = 10_000


def distribution(parameter: Parameter) -> BaseDistribution:
    """The parameter in Optuna's words."""
    match parameter:
        case Float(low=low, log=log, step=step):
            return FloatDistribution(low, float(_top(parameter)), log=log, step=step)
        case Int(low=low, log=log, step=step):
            return IntDistribution(low, int(_top(parameter)), log=log, step=step)
        case Categorical(choices=choices):
            return CategoricalDistribution(choices)
        case Fixed(value=value):
            return CategoricalDistribution((value,))


def build_sampler(spec: SweepSpec, space: SearchSpace, *, number: int) -> BaseSampler:
    """The sampler that proposes trial `number`.

    It is made anew for each trial and seeded from (sweep seed, trial number), so that a resumed sweep proposes what an
    uninterrupted one would.
    """
    seed = int(np.random.SeedSequence([spec.seed, number]).generate_state(1)[0])
    match spec.sampler:
        case GridSampler():
            base: BaseSampler = point_sampler(grid_point(space, seed=spec.seed, number=number))
        case QmcSampler():
            base = point_sampler(sobol_point(space, seed=spec.seed, number=number))
        case TpeSampler(startup_trials=startup_trials):
            conditional = any(parameter.when for parameter in space.parameters.values())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                base = TPESampler(
                    n_startup_trials=startup_trials,
                    multivariate=True,
                    group=conditional,
                    constant_liar=True,
                    seed=seed,
                )
        case _:
            base = RandomSampler(seed=seed)
    return _Proposing(base, space, seed)


def suggest(trial: Trial, space: SearchSpace) -> dict[str, Value]:
    """Store the sampler's proposal in the trial, parameter by parameter; a stored parameter keeps its value."""

    def draw(name: str, parameter: Parameter) -> Value:
        value: Value | None
        match parameter:
            case Float(low=low, log=log, step=step):
                value = trial.suggest_float(name, low, float(_top(parameter)), log=log, step=step)
            case Int(low=low, log=log, step=step):
                value = trial.suggest_int(name, low, int(_top(parameter)), log=log, step=step)
            case Categorical(choices=choices):
                value = trial.suggest_categorical(name, choices)
            case Fixed(value=fixed):
                value = trial.suggest_categorical(name, (fixed,))
        assert value is not None, "no choice is None"
        return value

    return {name: draw(name, space.parameters[name]) for name in space.sample(draw)}


def _top(parameter: Float | Int) -> float:
    """The highest value: below `high` where the step does not divide the range."""
    return float(corners(parameter)[-1])


class _Proposing(BaseSampler):
    """Draws whole configurations from another sampler until one satisfies the constraints.

    A conditional parameter is drawn after its parents; one that the other sampler cannot model jointly is drawn
    independently by it. When the model finds no feasible point, uniform draws take over.
    """

    def __init__(self, base: BaseSampler, space: SearchSpace, seed: int) -> None:
        self._base = base
        self._space = space
        self._fallback = RandomSampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._base.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._base.after_trial(study, trial, state, values)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {name: distribution(parameter) for name, parameter in self._space.parameters.items()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        for number in range(MODEL_TRIES + RANDOM_TRIES):
            sampler = self._base if number < MODEL_TRIES else self._fallback
            values = self._propose(sampler, study, trial, search_space)
            if self._space.is_feasible(values):
                return values
        raise UsageError(f"no configuration satisfies the constraints in {MODEL_TRIES + RANDOM_TRIES} draws")

    def _propose(
        self, sampler: BaseSampler, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        joint = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))

        def draw(name: str, _: Parameter) -> Value:
            value = joint.get(name)
            if value is None:
                value = sampler.sample_independent(study, trial, name, search_space[name])
            result: Value = value
            return result

        return self._space.sample(draw)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Value:
        value: Value = self._base.sample_independent(study, trial, param_name, param_distribution)
        return value
