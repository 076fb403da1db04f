"""Which training `orch export` and `orch retrain` mean: the confirmed winner, a candidate, or a trial of the search."""

from dataclasses import dataclass

from orchestrator.errors import UsageError
from orchestrator.study import SweepRecord
from orchestrator.sweeps.confirming.find import confirmation_of
from orchestrator.sweeps.confirming.report import ConfirmationReport, Confirmed
from orchestrator.sweeps.overview import find_trial
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import show
from orchestrator.trial import TrialRecord

BEST = "best"


@dataclass(frozen=True, slots=True)
class Choice:
    """One training.

    Attributes:
        sweep: the sweep that was asked for.
        source: the sweep that did the training: that one, or its confirmation.
        trial: of `source`.
        report: the newest finished confirmation of the sweep.
        candidate: what the report says of this configuration.
    """

    sweep: SweepRecord
    source: SweepRecord
    trial: TrialRecord
    report: ConfirmationReport | None = None
    candidate: Confirmed | None = None

    @property
    def name(self) -> str:
        """Such as `multitask-3 trial 7`."""
        return f"{self.source.name} trial {self.trial.number}"


def choose(home: Home, reference: str, which: str) -> Choice:
    """The training that is meant.

    Args:
        which: `best` is the confirmed winner where there is a confirmation, otherwise the best trial of the search; a
            number is a trial of the search; anything else is the label of a confirmed candidate, such as `default` or
            `trial 7`, of which the training with the best value on val is taken.

    Raises:
        SweepNotFoundError
        UsageError: there is no such trial or candidate, or it has no value.
    """
    summary = show(home, reference)
    report = confirmation_of(home, reference)
    if which.isdigit():
        trial = find_trial(summary, int(which))
        candidate = None if report is None or summary.sweep.confirms else report.of_trial(trial.number)
        return Choice(summary.sweep, summary.sweep, _measured(trial, summary.sweep), report, candidate)
    if report is not None:
        return _confirmed(home, summary.sweep, report, which)
    if which != BEST:
        name = summary.sweep.name
        raise UsageError(
            f"{which!r} is neither {BEST!r} nor the number of a trial, and sweep {name} has no finished confirmation "
            f"whose candidates have names; make one with: orch confirm {name}"
        )
    if summary.best is None:
        raise UsageError(
            f"sweep {summary.sweep.name} has no trial with a value of {summary.sweep.spec.objective.metric}"
        )
    return Choice(summary.sweep, summary.sweep, summary.best)


def _confirmed(home: Home, sweep: SweepRecord, report: ConfirmationReport, which: str) -> Choice:
    """The best training of a candidate, in the confirmation."""
    trained = [candidate for candidate in report.candidates if candidate.best_run is not None]
    if which == BEST:
        named = [candidate for candidate in trained if candidate.label in report.verdict.names]
        candidate = next(iter(named or trained), None)
    else:
        candidate = next((candidate for candidate in trained if candidate.label == which), None)
    if candidate is None or candidate.best_run is None:
        known = ", ".join(repr(candidate.label) for candidate in trained) or "none"
        raise UsageError(
            f"{which!r} is no candidate of {report.confirmation} that has a value; there are: {known}; a number is a "
            f"trial of {sweep.name}"
        )
    confirmation = show(home, report.confirmation)
    trial = find_trial(confirmation, candidate.best_run)
    return Choice(sweep, confirmation.sweep, _measured(trial, confirmation.sweep), report, candidate)


def _measured(trial: TrialRecord, sweep: SweepRecord) -> TrialRecord:
    if trial.best_step is None:
        raise UsageError(f"trial {trial.number} of {sweep.name} has no value of {sweep.spec.objective.metric}")
    return trial
