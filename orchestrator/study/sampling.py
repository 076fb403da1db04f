"""From a sampler spec to configurations: feasible, in the space, and not tried before. Called by the ledger's ask.

Optuna's samplers are asked for points; what they do not know is kept here: conditions, constraints, quasi-random
startup, and that no configuration is run twice. Everything follows from the seed, the trial's number and the stored
trials, so a resumed sweep proposes what an uninterrupted one would.
"""

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from orchestrator.errors import UsageError
from orchestrator.space import Parameter, SearchSpace, exact, same_value
from orchestrator.spec.model import BruteForceSampler, GpSampler, GridSampler, QmcSampler, SweepSpec, TpeSampler
from orchestrator.spec.model import RandomSampler as RandomSpec
from orchestrator.study.drafting import draft_trial, sampler_study
from orchestrator.study.duplicates import num_combinations
from orchestrator.study.history import History
from orchestrator.study.models import build_model, distribution, joint_space
from orchestrator.study.points import grid_order, sobol_points
from orchestrator.trial import Value

MODEL_TRIES = 100
SLOW_MODEL_TRIES = 3
"""Of a Gaussian process: each costs a fit, and the next point is rarely another one."""
FINITE_TRIES = 10
"""Where what is left can be listed: a model that repeats itself goes on doing so."""
RANDOM_TRIES = 10_000
LISTED = 10_000
"""Combinations up to which a finite space is written out when draws only repeat what was tried."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """There is no configuration left, and why."""

    reason: str


@dataclass(frozen=True)
class Sampling:
    """The sampler of one sweep."""

    spec: SweepSpec
    space: SearchSpace

    @cached_property
    def size(self) -> int | None:
        """How many configurations there are, where they can be counted in no time or are listed anyway."""
        combinations = num_combinations(self.space)
        listed = combinations is not None and (combinations <= LISTED or isinstance(self.spec.sampler, GridSampler))
        return len(self._grid) if listed else None

    @cached_property
    def _grid(self) -> list[dict[str, Value]]:
        return grid_order(self.space, seed=self.spec.seed)

    def draft(self, params: Mapping[str, Value], *, number: int) -> FrozenTrial:
        """A trial with given parameters."""
        return self._filled(draft_trial(number), params)

    def draw(
        self, study: Study, history: History, *, number: int, place: int, given: Mapping[str, Value] | None = None
    ) -> FrozenTrial | Exhausted:
        """Draft trial `number` with a new configuration.

        Args:
            study: the sweep's.
            history: its trials.
            number: of the trial.
            place: how many trials the sampler has proposed before: the place in a sequence.
            given: values that are not drawn.

        Raises:
            UsageError: the constraints leave nothing.
        """
        draft, given = draft_trial(number), given or {}
        seen = sampler_study(study, draft, history.to_learn_from)
        feasible = False
        for params in self._candidates(seen, draft, history.imported, place=place, given=given):
            if any(name not in params or not same_value(params[name], value) for name, value in given.items()):
                continue
            if self.space.is_feasible(params):
                feasible = True
                if params not in history.tried:
                    return self._filled(draft, params)
        if not feasible and not self.size:
            raise UsageError(f"no configuration satisfies the constraints in {MODEL_TRIES + RANDOM_TRIES} draws")
        count = "each configuration" if self.size is None else f"each of the {self.size} configurations"
        return Exhausted(f"{count} of the space was tried")

    def _filled(self, draft: FrozenTrial, params: Mapping[str, Value]) -> FrozenTrial:
        draft.distributions = {name: distribution(self.space.parameters[name]) for name in params}
        draft.params = dict(params)
        return draft

    def _candidates(
        self,
        study: Study,
        draft: FrozenTrial,
        imported: Sequence[FrozenTrial],
        *,
        place: int,
        given: Mapping[str, Value],
    ) -> Iterator[dict[str, Value]]:
        """Points in the order of preference; the last ones are all that there are, or many random ones."""
        uniform = RandomSampler(seed=self._seed(draft))
        match self.spec.sampler:
            case GridSampler():
                yield from (*self._grid[place:], *self._grid[:place])
                return
            case QmcSampler():
                yield from self._quasi_random(place, given)
            case RandomSpec() | BruteForceSampler():
                yield from (self._walk(study, draft, uniform, given) for _ in range(MODEL_TRIES))
            case _:
                yield from self._modelled(study, draft, imported, place=place, given=given)
        if self.size is not None:
            # Shuffled by the seed, so that what is left is taken in no order.
            yield from self._grid
            return
        yield from (self._walk(study, draft, uniform, given) for _ in range(RANDOM_TRIES))
        if not self.space.endless():
            yield from self.space.grid()

    def _modelled(
        self,
        study: Study,
        draft: FrozenTrial,
        imported: Sequence[FrozenTrial],
        *,
        place: int,
        given: Mapping[str, Value],
    ) -> Iterator[dict[str, Value]]:
        """Points of a sampler that learns; quasi-random ones until it has learnt enough to say anything."""
        sampler = self.spec.sampler
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            model = build_model(sampler, self.space, seed=self._seed(draft), imported=imported)
        tries = MODEL_TRIES if self.size is None else FINITE_TRIES
        for _ in range(SLOW_MODEL_TRIES if isinstance(sampler, GpSampler) else tries):
            inferred = isinstance(sampler, TpeSampler)
            relative = model.infer_relative_search_space(study, draft) if inferred else joint_space(sampler, self.space)
            joint = model.sample_relative(study, draft, relative)
            if not joint:
                yield from self._quasi_random(place, given)
                return
            yield self._walk(study, draft, model, {**joint, **given})

    def _quasi_random(self, place: int, given: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
        points = sobol_points(self.space, seed=self.spec.seed, start=place, given=given)
        return itertools.islice(points, MODEL_TRIES)

    def _seed(self, draft: FrozenTrial) -> int:
        return int(np.random.SeedSequence([self.spec.seed, draft.number]).generate_state(1)[0])

    def _walk(
        self, study: Study, draft: FrozenTrial, sampler: BaseSampler, known: Mapping[str, Any]
    ) -> dict[str, Value]:
        """One configuration, parents first; a parameter without a known value is drawn on its own."""

        def draw(name: str, parameter: Parameter) -> Value:
            value: Value | None = known.get(name)
            if value is None:
                value = sampler.sample_independent(study, draft, name, distribution(parameter))
            assert value is not None, "no choice is None"
            return exact(parameter, value)

        return self.space.sample(draw)
