"""What is wrong with the trials of a sweep: each trial's findings, and which region of the space makes which illness.

Of an ended trial a list needs checks and severities alone, which are stored with its ending; all else is computed from
what was measured. Without scipy and torch, so that `orch show` stays quick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.analysis.diagnosis import Excess, strongest_excess
from orchestrator.errors import UsageError
from orchestrator.execution.doctor import history_of, severities_of
from orchestrator.spec.wording import did_you_mean
from orchestrator.study import SweepRecord
from orchestrator.trial import JsonValue, TrialRecord
from trainables.health import CHECKS, Finding, History, Severity, diagnose
from trainables.health import explain as explain_check

SEVERITIES = (Severity.ILL, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, slots=True)
class Since:
    """A finding and the step from which on it has held."""

    finding: Finding
    step: int

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        finding = self.finding
        return {
            "check": finding.check,
            "severity": finding.severity.value,
            "since": self.step,
            "step": finding.step,
            "evidence": dict(finding.evidence),
            "meaning": finding.meaning,
            "cure": finding.cure,
        }


@dataclass(frozen=True, slots=True)
class Illness:
    """One check over a whole sweep.

    Attributes:
        severity: the gravest among its trials.
        trials: numbers of those that have it.
        excess: where in the space it is over-represented; None where nothing stands out.
    """

    check: str
    severity: Severity
    trials: Sequence[int]
    excess: Excess | None

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "check": self.check,
            "severity": self.severity.value,
            "trials": list(self.trials),
            "region": None if self.excess is None else _excess_json(self.excess),
        }


@dataclass(frozen=True, slots=True)
class SweepFindings:
    """What was found in a sweep.

    Attributes:
        by_trial: number to check and severity, of each trial that has measured something.
        illnesses: the gravest and most frequent first.
        parameters: all that are searched.
    """

    by_trial: Mapping[int, Mapping[str, Severity]]
    illnesses: Sequence[Illness]
    parameters: Sequence[str]

    def num_grave(self, number: int) -> int:
        """How many findings of a trial are more than a note."""
        return sum(severity is not Severity.NOTE for severity in self.by_trial.get(number, {}).values())

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values, to stand beside those of the sweep."""
        return {"num_examined": len(self.by_trial), "findings": [illness.to_json() for illness in self.illnesses]}


def sweep_findings(sweep: SweepRecord, trials: Sequence[TrialRecord]) -> SweepFindings:
    """Examine all trials of a sweep."""
    by_trial = {trial.number: severities_of(sweep, trial) for trial in trials if trial.outlined.num_measured}
    params = {trial.number: trial.params for trial in trials if trial.number in by_trial}
    found: dict[str, dict[int, Severity]] = {}
    for number, findings in by_trial.items():
        for check, severity in findings.items():
            found.setdefault(check, {})[number] = severity
    illnesses = [
        Illness(
            check,
            severity=min(severities.values(), key=SEVERITIES.index),
            trials=tuple(severities),
            excess=strongest_excess(severities, params, seed=sweep.spec.seed),
        )
        for check, severities in found.items()
    ]
    order = list(CHECKS)
    illnesses.sort(key=lambda i: (SEVERITIES.index(i.severity), -len(i.trials), order.index(i.check)))
    return SweepFindings(by_trial, illnesses, tuple(sweep.spec.space))


def trial_findings(sweep: SweepRecord, trial: TrialRecord) -> tuple[Since, ...]:
    """What is wrong with one trial, most severe first."""
    return findings_since(history_of(sweep, trial.params, trial.measurements, unread=trial.unread))


def findings_since(history: History) -> tuple[Since, ...]:
    """The findings of a history, each with the first step of the unbroken stretch up to now in which it holds."""
    return tuple(Since(finding, _since(finding, history)) for finding in diagnose(history))


def _since(finding: Finding, history: History) -> int:
    """Shorter and shorter histories are looked at, as they were known at each step."""
    measurements, since = history.measurements, finding.step
    for length in range(len(measurements), 0, -1):
        earlier = replace(history, measurements=measurements[:length])
        if CHECKS[finding.check](earlier) is None:
            break
        since = measurements[length - 1].step
    return since


def _excess_json(excess: Excess) -> dict[str, JsonValue]:
    region = excess.region
    return {
        "parameter": region.parameter,
        "choice": region.choice,
        "low": region.low,
        "high": region.high,
        "ill_inside": excess.num_ill,
        "inside": excess.num_inside,
        "ill_outside": excess.num_ill_outside,
        "outside": excess.num_outside,
        "p_value": excess.p_value,
        "num_looks": excess.num_looks,
    }


def explain(check: str) -> str:
    """What a check looks for and what cures it.

    Raises:
        UsageError: there is no such check.
    """
    if check not in CHECKS:
        hint = did_you_mean(check, list(CHECKS)) or f"known: {', '.join(CHECKS)}"
        raise UsageError(f"there is no check {check!r} ({hint})")
    return explain_check(check)
