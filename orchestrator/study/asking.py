"""What a sweep tries next: the points of its file first, then the sampler's. Called by `Ledger.ask`; stores nothing.

A trial is drafted with all that is known of it, from the stored trials alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from optuna.study import Study
from optuna.trial import FrozenTrial

from orchestrator.space import SearchSpace, same_value
from orchestrator.spec.model import SweepSpec
from orchestrator.study import records
from orchestrator.study.duplicates import Tried
from orchestrator.study.history import History
from orchestrator.study.proposals import Proposal
from orchestrator.study.sampling import Exhausted, Sampling


class Asking:
    """The next trials of one sweep.

    Attributes:
        exhausted: why there is no next trial although the budget has one; empty as long as there is.
    """

    def __init__(self, spec: SweepSpec, space: SearchSpace) -> None:
        self._spec = spec
        self._space = space
        self._sampling = Sampling(spec, space)
        self._history = History(spec, space)
        self.exhausted = ""

    def limit(self, trials: Sequence[FrozenTrial]) -> int:
        """How many trials the sweep will have: its budget, or what a finite space has."""
        if self._sampling.size is None:
            return self._spec.budget.trials
        known = Tried(self._space, [trial.params for trial in trials if records.is_imported(trial)])
        replicates = sum(1 for position in range(len(self._spec.points)) if self._first_equal(position) < position)
        return min(self._spec.budget.trials, self._sampling.size - known.num_cells() + replicates)

    def next(self, study: Study, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        """Draft the next trial; None when the budget or the space is used up."""
        self._history.update(trials)
        asked = self._history.own
        if len(asked) >= self._spec.budget.trials or self.exhausted:
            return None
        if len(asked) < len(self._spec.points):
            return self._point(study, trials, asked)
        place = len(asked) - len(self._spec.points)
        drawn = self._sampling.draw(study, self._history, number=len(trials), place=place)
        if isinstance(drawn, Exhausted):
            self.exhausted = drawn.reason
            return None
        return self._signed(drawn, Proposal({}))

    def num_asked(self, trials: Sequence[FrozenTrial]) -> int:
        """How many of these were asked for; one that was extended is one."""
        self._history.update(trials)
        return len(self._history.own)

    def propose(self, proposal: Proposal, trials: Sequence[FrozenTrial]) -> FrozenTrial:
        """Draft a trial of a given configuration, in the space or outside of it."""
        if proposal.replicate_of is not None and proposal.seeds is None:
            proposal = replace(proposal, seeds=self._next_seeds(proposal.replicate_of, trials))
        inside = self._space.contains(proposal.params)
        draft = self._sampling.draft(proposal.params if inside else {}, number=len(trials))
        return self._signed(draft, proposal)

    def _point(self, study: Study, trials: Sequence[FrozenTrial], asked: Sequence[int]) -> FrozenTrial | None:
        """Draft the next of the file's points; one that stands there twice becomes a replicate."""
        position = len(asked)
        if (first := self._first_equal(position)) < position:
            return self.propose(Proposal(trials[asked[first]].params, replicate_of=asked[first]), trials)
        given = self._spec.points[position]
        if self._space.contains(given):
            return self.propose(Proposal(given), trials)
        drawn = self._sampling.draw(study, self._history, number=len(trials), place=position, given=given)
        if isinstance(drawn, Exhausted):
            self.exhausted = f"point {position + 1} of the file can only be filled up to configurations that were tried"
            return None
        return self._signed(drawn, Proposal({}))

    def _first_equal(self, position: int) -> int:
        point = self._spec.points[position]
        return next(
            n
            for n, other in enumerate(self._spec.points)
            if point.keys() == other.keys() and all(same_value(value, other[name]) for name, value in point.items())
        )

    def _next_seeds(self, number: int, trials: Sequence[FrozenTrial]) -> tuple[int, ...]:
        """The seeds after those of the trial and of its replicates so far."""
        earlier = sum(1 for t in trials if t.user_attrs.get(records.PROPOSED, {}).get("replicate_of") == number)
        first = self._spec.seed + (earlier + 1) * self._spec.repeats
        return tuple(first + n for n in range(self._spec.repeats))

    def _signed(self, draft: FrozenTrial, proposal: Proposal) -> FrozenTrial:
        proposed = records.write_proposal(proposal, self._spec, space=self._space)
        draft.user_attrs = {records.PROPOSED: proposed, records.ATTEMPT: 1}
        return draft
