"""Population-based training as a `Proposer`: which member trains its next stretch, from whose weights, with what.

Source: Jaderberg et al. 2017, Population Based Training of Neural Networks, with truncation selection. Members are
compared at the same epoch. What is proposed depends on nothing but the stored trials and the seed.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orchestrator.errors import UsageError
from orchestrator.space import Float, Parameter, SearchSpace, random_value
from orchestrator.spec.model import Direction, PbtSampler, SweepSpec
from orchestrator.study.points import sobol_point
from orchestrator.study.proposals import Proposal, Wait
from orchestrator.trial import Segment, TrialRecord, TrialState, Value

MAX_TRIES = 100
"""Changed configurations that are drawn until one satisfies the constraints."""


@dataclass(frozen=True)
class Population:
    """The members of one sweep.

    Attributes:
        epochs: of a whole training, all its stretches together.
    """

    settings: PbtSampler
    spec: SweepSpec
    space: SearchSpace
    epochs: int

    @property
    def num_trials(self) -> int:
        """The stretches of all members; the last one of each may be shorter."""
        num_segments = math.ceil(self.epochs / self.settings.interval_epochs)
        return min(self.settings.population * num_segments, self.spec.budget.trials)

    def next(self, trials: Sequence[TrialRecord]) -> Proposal | Wait | None:
        """The stretch that comes next: all members reach an epoch before any goes beyond it."""
        if len(trials) >= self.num_trials:
            return None
        if len(trials) < self.settings.population:
            return self._found(len(trials))
        last = self._last_segments(trials)
        waiting = [trial for trial in last if not trial.state.is_terminal]
        ready = [trial for trial in last if trial.state.is_terminal and _until(trial) < self.epochs]
        if not ready:
            return Wait.FOR_A_TRIAL if any(_until(trial) < self.epochs for trial in waiting) else None
        return self._go_on(min(ready, key=lambda trial: (_until(trial), _member(trial))), trials)

    def _found(self, member: int) -> Proposal:
        """The first stretch of a member: points that cover the space evenly."""
        params = sobol_point(self.space, seed=self.spec.seed, number=member)
        return Proposal(params, segment=Segment(member, None, min(self.settings.interval_epochs, self.epochs)))

    def _last_segments(self, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
        newest = {_member(trial): trial for trial in trials}
        return [newest[member] for member in sorted(newest)]

    def _go_on(self, trial: TrialRecord, trials: Sequence[TrialRecord]) -> Proposal | None:
        """The next stretch of a member that has ended one: from its own weights, or from one of the best with others.

        A stretch that failed or was stopped as ill has no weights worth going on from.
        """
        rng = random.Random(int(np.random.SeedSequence([self.spec.seed, len(trials)]).generate_state(1)[0]))
        until = _until(trial)
        ranked = self._ranked([other for other in trials if _until(other) == until and _is_sound(other)])
        num_exploited = int(len(ranked) * self.settings.exploit_fraction)
        segment = Segment(_member(trial), trial.number, min(until + self.settings.interval_epochs, self.epochs))
        if trial in ranked and trial not in ranked[len(ranked) - num_exploited :]:
            return Proposal(trial.params, segment=segment)
        if not ranked:
            # Nothing sound has reached this epoch: the member begins again.
            return replace(self._found(_member(trial)), segment=replace(segment, parent=None))
        parent = rng.choice(ranked[: max(1, num_exploited)])
        return Proposal(self._explored(parent.params, rng), segment=replace(segment, parent=parent.number))

    def _ranked(self, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Best first, by the last measurement; equals by number."""
        objective = self.spec.objective
        sign = -1.0 if objective.direction is Direction.MAXIMIZE else 1.0
        return sorted(trials, key=lambda t: (sign * t.measurements[-1].metrics[objective.metric], t.number))

    def _explored(self, params: Mapping[str, Value], rng: random.Random) -> dict[str, Value]:
        """A changed configuration that satisfies the constraints; the parent's own when none is found."""
        for _ in range(MAX_TRIES):
            changed = {name: self._changed(self.space.parameters[name], value, rng) for name, value in params.items()}
            if self.space.is_feasible(changed):
                return changed
        return dict(params)

    def _changed(self, parameter: Parameter, value: Value, rng: random.Random) -> Value:
        if not isinstance(parameter, Float) or isinstance(value, str):
            return value
        if rng.random() < self.settings.resample_probability:
            return random_value(parameter, rng)
        factor = self.settings.perturb_factor ** rng.choice((-1, 1))
        return _within(parameter, value * factor)


def population_of(spec: SweepSpec, space: SearchSpace, *, epochs: int | None) -> Population:
    """The population that a sweep file describes.

    Raises:
        UsageError: the number of epochs is not known.
    """
    if epochs is None or not isinstance(spec.sampler, PbtSampler):
        raise UsageError("sampler pbt: set epochs under config:, as a number that is not searched")
    return Population(spec.sampler, spec, space, epochs)


def _within(parameter: Float, value: float) -> float:
    """The nearest value of the domain."""
    value = min(max(value, parameter.low), parameter.high)
    if parameter.step is None:
        return value
    steps = min(round((value - parameter.low) / parameter.step), int((parameter.high - parameter.low) / parameter.step))
    return parameter.low + steps * parameter.step


def _member(trial: TrialRecord) -> int:
    assert trial.segment is not None, "every trial of a population is a segment"
    return trial.segment.member


def _until(trial: TrialRecord) -> int:
    assert trial.segment is not None, "every trial of a population is a segment"
    return trial.segment.until


def _is_sound(trial: TrialRecord) -> bool:
    """Whether it reached its end, so that there are weights to go on from."""
    return trial.state is TrialState.COMPLETE and trial.epochs == _until(trial)
