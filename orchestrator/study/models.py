"""Optuna's samplers that learn from what was told, built anew for each trial. Called by `sampling`.

None of them remembers anything: CMA-ES keeps its state in the notes of its trials and the genetic searches keep their
generations there, so a sampler that is built for one trial goes on where the one before it stood.
"""

from collections.abc import Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from orchestrator.space import Categorical, Fixed, Float, Int, Parameter, SearchSpace, corners
from orchestrator.spec.model import CmaesSampler, GpSampler, Nsga2Sampler, Nsga3Sampler, Sampler, TpeSampler

GENERATIONS = {"nsga2": "NSGAIISampler:generation", "nsga3": "NSGAIIISampler:generation"}
"""The note in which a genetic search keeps the generation of a trial."""
MIN_CMA_DIMENSIONS = 2
MIN_CMA_GUESSES = 10
"""CMA-ES makes its first guess from the best tenth of them."""


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


def _top(parameter: Float | Int) -> float:
    """The highest value: below `high` where the step does not divide the range."""
    return float(corners(parameter)[-1])


def build_model(sampler: Sampler, space: SearchSpace, *, seed: int, imported: Sequence[FrozenTrial]) -> BaseSampler:
    """The sampler for one trial; `imported` are trials of an earlier sweep, from which CMA-ES takes its first guess."""
    match sampler:
        case TpeSampler(startup_trials=startup):
            conditional = any(parameter.when for parameter in space.parameters.values())
            return TPESampler(
                n_startup_trials=startup, multivariate=True, group=conditional, constant_liar=True, seed=seed
            )
        case GpSampler(startup_trials=startup):
            return GPSampler(n_startup_trials=startup, seed=seed, warn_independent_sampling=False)
        case CmaesSampler(startup_trials=startup):
            return CmaEsSampler(
                n_startup_trials=startup,
                seed=seed,
                warn_independent_sampling=False,
                consider_pruned_trials=True,
                source_trials=_guesses(imported, joint_space(sampler, space)) or None,
            )
        case Nsga2Sampler(population=population):
            return NSGAIISampler(population_size=population, seed=seed)
        case Nsga3Sampler(population=population):
            return NSGAIIISampler(population_size=population, seed=seed)
        case _:
            raise ValueError(f"{sampler.type} does not learn")


def joint_space(sampler: Sampler, space: SearchSpace) -> dict[str, BaseDistribution]:
    """The parameters that a sampler other than TPE models together: those that every trial has.

    TPE infers its own from the trials, and models conditional parameters too.
    """
    always = {name: distribution(parameter) for name, parameter in space.parameters.items() if not parameter.when}
    joint = {name: found for name, found in always.items() if not found.single()}
    if isinstance(sampler, CmaesSampler):
        joint = {name: found for name, found in joint.items() if not isinstance(found, CategoricalDistribution)}
        return joint if len(joint) >= MIN_CMA_DIMENSIONS else {}
    return joint


def _guesses(imported: Sequence[FrozenTrial], joint: dict[str, BaseDistribution]) -> list[FrozenTrial]:
    """Complete trials of another sweep, with the parameters that CMA-ES models alone; none if they are too few."""
    guesses = [
        create_trial(value=trial.value, params={name: trial.params[name] for name in joint}, distributions=joint)
        for trial in imported
        if trial.state is TrialState.COMPLETE and joint
    ]
    return guesses if len(guesses) >= MIN_CMA_GUESSES else []
