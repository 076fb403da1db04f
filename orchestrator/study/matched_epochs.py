"""How much each parameter matters, from all trials that can be compared: also those that were stopped early.

Optuna looks at complete trials alone. A choice whose bad branch never completes has one value in all of them, and so
no importance at all. Here trials are compared at matched epochs: everyone that got so far takes part with its best
value up to there. Called by `sweeps` and the plots; `variance` shares out the variance of one such comparison.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import pstdev

from optuna.trial import FrozenTrial, TrialState, create_trial

from orchestrator.spec.model import Objective, SweepSpec
from orchestrator.study.drafting import in_search
from orchestrator.study.driver_storage import whole_trials, write_study
from orchestrator.study.importance import IMPORTANCE_KEY, Importance, MatchedEpoch, StoredImportance
from orchestrator.study.ledger import Ledger
from orchestrator.study.records import best_measurement, is_imported, read_trial
from orchestrator.study.variance import variance_shares
from orchestrator.trial import Measurement

MIN_TRIALS = 4
"""Fewer trials at an epoch are not compared there but at the epoch before."""
PART = 0.1
"""An epoch at which a smaller part of the trials ended is taken together with the next ones."""
MAX_TRIALS = 500
"""Of more trials at an epoch so many are drawn: the forest's cost grows with their square."""


@dataclass(frozen=True, slots=True)
class _Curve:
    trial: FrozenTrial
    measurements: tuple[Measurement, ...]

    @property
    def end(self) -> int:
        return self.measurements[-1].step


def importance(ledger: Ledger) -> Importance | None:
    """The importance of each parameter in a sweep so far; None with one parameter, or too few trials to compare."""
    return importance_in(list(whole_trials(ledger.study)), ledger.spec)


def note_importance(ledger: Ledger, found: Importance | None) -> None:
    """Keep it with the sweep, whose driver has it at hand: finding it again takes seconds."""
    trials = ledger.study.get_trials(deepcopy=False)
    num_ended = sum(trial.state.is_finished() and not is_imported(trial) for trial in trials)
    write_study(ledger.study, {IMPORTANCE_KEY: asdict(StoredImportance(num_ended, found))})


def importance_in(trials: Sequence[FrozenTrial], spec: SweepSpec) -> Importance | None:
    """The same of a ledger's trials."""
    curves = _curves(in_search(trials), spec)
    epochs = [epoch for epoch in _endings(curves) if sum(curve.end >= epoch for curve in curves) >= MIN_TRIALS]
    last = Counter(max((epoch for epoch in epochs if epoch <= curve.end), default=None) for curve in curves)
    found = [_matched(curves, epoch, last[epoch], spec) for epoch in epochs]
    weight = sum(at.weight for at in found)
    names = {name for at in found for name in at.shares}
    if not weight or len(names) < 2:
        return None
    shares = {name: sum(at.weight * at.shares.get(name, 0.0) for at in found) / weight for name in names}
    return Importance(dict(sorted(shares.items(), key=lambda item: (-item[1], item[0]))), tuple(found))


def _curves(trials: Sequence[FrozenTrial], spec: SweepSpec) -> list[_Curve]:
    """The trials that were measured after epoch 0."""
    read = [(trial, read_trial(trial, spec).measurements) for trial in trials]
    return [_Curve(trial, tuple(found)) for trial, found in read if found and found[-1].step > 0]


def _endings(curves: Sequence[_Curve]) -> list[int]:
    """Epochs at which trials ended; of each run of rare ones the first, which all of that run reached."""
    enough = PART * len(curves)
    chosen: list[int] = []
    ended = enough
    for epoch, count in sorted(Counter(curve.end for curve in curves).items()):
        if ended >= enough or count >= enough:
            chosen.append(epoch)
            ended = 0
        ended += count
    return chosen


def _matched(curves: Sequence[_Curve], epoch: int, num_last: int, spec: SweepSpec) -> MatchedEpoch:
    reached = [curve for curve in curves if curve.end >= epoch]
    valued = [trial for curve in reached if (trial := _up_to(curve, epoch, spec.objective)) is not None]
    spread = pstdev([float(trial.values[0]) for trial in valued]) if valued else 0.0
    drawn = random.Random(spec.seed).sample(valued, MAX_TRIALS) if len(valued) > MAX_TRIALS else valued
    shares = variance_shares(drawn, seed=spec.seed)
    return MatchedEpoch(epoch, len(reached), num_last, spread, shares, None if drawn is valued else len(drawn))


def _up_to(curve: _Curve, epoch: int, objective: Objective) -> FrozenTrial | None:
    """The trial as if it had completed at an epoch."""
    best = best_measurement(tuple(m for m in curve.measurements if m.step <= epoch), objective)
    if best is None:
        return None
    return create_trial(
        state=TrialState.COMPLETE,
        value=best.metrics[objective.metric],
        params=curve.trial.params,
        distributions=curve.trial.distributions,
    )
