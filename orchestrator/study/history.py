"""The stored trials as the next proposal needs them, kept up from one ask to the next. Called by `Asking`.

What an ask costs must not grow with the sweep: trials are taken up once, and TPE learns from the best and the newest.
"""

import math
from bisect import insort
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from orchestrator.space import SearchSpace
from orchestrator.spec.model import Direction, SweepSpec, TpeSampler
from orchestrator.study import records
from orchestrator.study.duplicates import Tried

MOST = 500
"""Ended trials from which TPE learns at most: what it costs grows with them."""
BEST = 100
"""The part of these that is chosen by rank. Optuna's TPE calls the best tenth good, and never more than 25."""

_Rank = tuple[int, float, float, int]


class History:
    """Trials of one study; `update` it before each ask with all of them, by number."""

    def __init__(self, spec: SweepSpec, space: SearchSpace) -> None:
        self.tried = Tried(space, ())
        self.own: list[int] = []
        """The numbers of trials that were asked for: not imported, and no extension of an earlier one."""
        self.imported: list[FrozenTrial] = []
        self._sign = -1.0 if spec.objective.direction is Direction.MAXIMIZE else 1.0
        self._is_capped = isinstance(spec.sampler, TpeSampler) and not spec.further_objectives
        self._trials: Sequence[FrozenTrial] = ()
        self._num_known = 0
        self._left_out: set[int] = set()
        self._open: set[int] = set()
        self._ranked: list[_Rank] = []

    def update(self, trials: Sequence[FrozenTrial]) -> None:
        """Take up what is new, and what has ended."""
        self._trials = trials
        for trial in trials[self._num_known :]:
            self._take_up(trial)
        self._num_known = len(trials)
        for number in [number for number in self._open if trials[number].state.is_finished()]:
            self._open.remove(number)
            if trials[number].state is not TrialState.FAIL:
                insort(self._ranked, self._rank(trials[number]))

    def to_learn_from(self) -> list[FrozenTrial]:
        """What a sampler sees, by number: the search's trials, of one that was extended the longer."""
        if not self._is_capped or len(self._ranked) <= MOST:
            return [trial for trial in self._trials if trial.number not in self._left_out]
        chosen = self._open | {number for *_, number in self._ranked[:BEST]}
        left = MOST - BEST
        for trial in reversed(self._trials):
            if not left:
                break
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.number not in self._left_out:
                chosen.add(trial.number)
                left -= 1
        return [self._trials[number] for number in sorted(chosen)]

    def _take_up(self, trial: FrozenTrial) -> None:
        extended = trial.user_attrs.get(records.EXTENDS)
        if records.is_imported(trial):
            self.imported.append(trial)
        elif extended is None:
            self.own.append(trial.number)
        else:
            self._left_out.add(extended)
            self._ranked = [rank for rank in self._ranked if rank[-1] != extended]
        if trial.user_attrs.get(records.PROPOSED, {}).get("outside"):
            # It says nothing of the space.
            self._left_out.add(trial.number)
            return
        self.tried.add(trial.params)
        self._open.add(trial.number)

    def _rank(self, trial: FrozenTrial) -> _Rank:
        """The order in which Optuna's TPE ranks trials, the best first."""
        violation = sum(value for value in trial.constraints.values() if value > 0)
        if violation:
            return 2, violation, 0.0, trial.number
        if trial.state is TrialState.COMPLETE:
            # Of several objectives all are learnt from, in no order.
            return 0, self._sign * trial.values[0], 0.0, trial.number
        if not trial.intermediate_values:
            return 1, 1.0, 0.0, trial.number
        step, value = max(trial.intermediate_values.items())
        return 1, -step, math.inf if math.isnan(value) else self._sign * value, trial.number
