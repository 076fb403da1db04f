"""What a confirmation trains next, as a `Proposer`: successive elimination over its candidates and seeds.

Needs nothing but the sweep's record and its trials, so that whoever opens the sweep goes on as it was.
"""

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from orchestrator.analysis import confirming
from orchestrator.analysis.confirming import Run
from orchestrator.spec.model import SweepSpec
from orchestrator.study import Confirming, SweepRecord
from orchestrator.study.confirmations import Examined
from orchestrator.study.proposals import Proposal
from orchestrator.sweeps.confirming.candidates import same_params
from orchestrator.trial import TrialRecord, TrialState

NOTHING: Mapping[int, Examined] = {}
"""Before the test split is read."""


class Elimination:
    """Proposes the trainings of one confirmation."""

    def __init__(self, confirming: Confirming, spec: SweepSpec) -> None:
        self._confirming = confirming
        self._spec = spec

    def next(self, trials: Sequence[TrialRecord]) -> Proposal | None:
        """The next seed of a candidate that is not ruled out; None when there is nothing more to learn or to spend."""
        chosen = confirming.next_run(
            candidates_of(self._confirming),
            runs_of(self._confirming, trials),
            seeds=self._confirming.seeds,
            direction=self._spec.objective.direction,
            max_runs=self._spec.budget.trials,
        )
        if chosen is None:
            return None
        label, seed = chosen
        (candidate,) = (candidate for candidate in self._confirming.candidates if candidate.label == label)
        return Proposal(candidate.params, seeds=(seed,))


def proposer_of(record: SweepRecord) -> Elimination | None:
    """Who proposes in the sampler's place; None for a search."""
    return None if record.confirming is None else Elimination(record.confirming, record.spec)


def candidates_of(confirming_: Confirming) -> list[confirming.Candidate]:
    """The candidates as the statistics see them."""
    return [
        confirming.Candidate(c.label, search=c.search_value, default=c.label == confirming_.reference)
        for c in confirming_.candidates
    ]


def runs_of(
    confirming_: Confirming, trials: Sequence[TrialRecord], examined: Mapping[int, Examined] = NOTHING, *, on: str = ""
) -> list[Run]:
    """The trials as the statistics see them.

    Args:
        examined: what was measured on test, by trial.
        on: the metric of it that is compared.
    """
    return [_run(confirming_, trial, examined.get(trial.number), on=on) for trial in trials]


def label_of(confirming_: Confirming, trial: TrialRecord) -> str:
    """Which candidate a trial trains."""
    return next(c.label for c in confirming_.candidates if same_params(c.params, trial.params))


def confirmed_value(trial: TrialRecord) -> float | None:
    """Its value after a whole training; None while it is open, NaN when it failed."""
    if not trial.state.is_terminal:
        return None
    sound = trial.state is TrialState.COMPLETE and trial.value is not None and bool(trial.best_step)
    return trial.value if sound else nan


def _run(confirming_: Confirming, trial: TrialRecord, examined: Examined | None, *, on: str) -> Run:
    run = Run(label_of(confirming_, trial), trial.seeds[0], confirmed_value(trial))
    value = None if examined is None else examined.metrics.get(on)
    if examined is None or value is None or not isfinite(value):
        return run
    return Run(run.candidate, run.seed, run.val, test=value, resamples=tuple(examined.resamples))
