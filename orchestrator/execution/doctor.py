"""What is wrong with a sweep's trials, from what the ledger holds: of one trial, and live while trials run.

`SweepControl` calls `Doctor` in the driver, never in a worker. Names and severities of an ended trial's findings are
stored with its ending, for lists; `sweeps` computes all else from what was measured, wherever it is read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.execution.progress import Event, Listener
from orchestrator.spec import resolve
from orchestrator.spec.dotted import flatten
from orchestrator.spec.model import Direction, SweepSpec
from orchestrator.study import SweepRecord
from orchestrator.tracking import Tracker
from orchestrator.trial import Cause, Ending, Measurement, TrialRecord, Value
from trainables import contract
from trainables.health import CHECKS, Finding, History, Severity, diagnose

Severities = Mapping[str, Severity]
"""By the name of the check."""

_TAG = "orch.finding."


def history_of(
    sweep: SweepRecord, params: Mapping[str, Value], measurements: Sequence[Measurement], *, unread: Sequence[str] = ()
) -> History:
    """A trial as the checks see it; what several seeds report one by one stands under their mean and is left out."""
    objective = sweep.spec.objective
    return History(
        measurements=[contract.Measurement(m.step, _means(m, sweep.spec)) for m in measurements],
        config={**sweep.fixed, **flatten(resolve(sweep.spec, params))},
        objective=objective.metric,
        maximize=objective.direction is Direction.MAXIMIZE,
        unread=unread,
    )


def _means(measurement: Measurement, spec: SweepSpec) -> Mapping[str, float]:
    if spec.repeats == 1:
        return measurement.metrics
    by_seed = tuple(f"{metric}/" for metric in spec.watched_metrics)
    return {name: value for name, value in measurement.metrics.items() if not name.startswith(by_seed)}


def findings_of(sweep: SweepRecord, trial: TrialRecord) -> tuple[Finding, ...]:
    """What is wrong with a trial, most severe first; empty for one that has measured nothing.

    A stop rule may end a sick trial before the checks have seen enough of it: what the rule saw is a finding too.
    """
    found = diagnose(history_of(sweep, trial.params, trial.measurements, unread=trial.unread))
    stopped = _finding_of_the_rule(trial.ending)
    return found if stopped is None or stopped.check in {finding.check for finding in found} else (stopped, *found)


def severities_of(sweep: SweepRecord, trial: TrialRecord) -> Severities:
    """The findings of a trial in short: as stored with its ending, otherwise computed."""
    stored = None if trial.outline is None else trial.outline.findings
    if stored is not None:
        return {check: Severity(severity) for check, severity in stored.items()}
    return severities(findings_of(sweep, trial))


def severities(findings: Sequence[Finding]) -> Severities:
    """Check to severity, in the same order."""
    return {finding.check: finding.severity for finding in findings}


def _finding_of_the_rule(ending: Ending | None) -> Finding | None:
    if ending is None or ending.cause is not Cause.SICK:
        return None
    metric, step = str(ending.detail["metric"]), ending.detail["step"]
    if ending.detail["rule"] == "below_untrained":
        check = CHECKS["worse_than_untrained"]
    else:
        check = CHECKS["dimensional_collapse" if "rank" in metric else "point_collapse"]
    return Finding(
        check=check.name,
        severity=Severity.ILL,
        step=step if isinstance(step, int) else 0,
        evidence={
            metric if name == "value" else name: float(value)
            for name, value in ending.detail.items()
            if isinstance(value, int | float) and name != "step"
        },
        meaning=check.meaning,
        cure=check.cure,
    )


def evidence_text(finding: Finding) -> str:
    """The numbers of a finding on one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in finding.evidence.items())


class Doctor:
    """Examines the trials of a running sweep: says what is new, and keeps MLflow's tags up to date."""

    def __init__(self, sweep: SweepRecord, tracker: Tracker, *, listener: Listener) -> None:
        self._sweep = sweep
        self._tracker = tracker
        self._listener = listener
        self._known: dict[int, Severities] = {}
        self._counts: Counter[str] = Counter()
        self._met: set[str] = set()
        self._explained: set[str] = set()

    @property
    def counts(self) -> dict[str, int]:
        """How many trials have each finding, the most frequent first; may be called from another thread."""
        return {check: count for check, count in self._counts.copy().most_common() if count}

    def recall(self, records: Sequence[TrialRecord]) -> None:
        """Take up what earlier drivers have said; nothing is said again."""
        for record in records:
            self._know(record.number, severities_of(self._sweep, record))

    def examine(self, number: int, params: Mapping[str, Value], measurements: Sequence[Measurement]) -> None:
        """Look at a trial after a measurement. Only what has changed is said and tagged."""
        before = self._known.get(number, {})
        found = diagnose(history_of(self._sweep, params, measurements))
        step = measurements[-1].step
        self._know(number, severities(found))
        self._say(number, step, found, before)
        if severities(found) != before:
            self._tag(number, step, found, before)

    def look(self, record: TrialRecord, ending: Ending) -> tuple[Finding, ...]:
        """The last word on a trial that is about to end."""
        return findings_of(self._sweep, replace(record, ending=ending))

    def see_off(self, record: TrialRecord, found: Sequence[Finding] | None = None) -> None:
        """Say and tag the last word on a trial that has ended or was paused; without `found` it is looked at here."""
        found = findings_of(self._sweep, record) if found is None else found
        before = self._known.get(record.number, {})
        self._know(record.number, severities(found))
        self._say(record.number, record.epochs, found, before)
        if found or before:
            self._tag(record.number, record.epochs, found, before)

    def _know(self, number: int, found: Severities) -> None:
        self._counts.subtract(list(self._known.get(number, ())))
        self._counts.update(list(found))
        self._known[number] = found
        self._met |= found.keys()

    def _say(self, number: int, step: int, found: Sequence[Finding], before: Severities) -> None:
        """One line for all that is new in a trial, and before it one for each check that was not said before.

        A note is not said: it may grow into a warning, which then is.
        """
        counts = self.counts
        loud = [f for f in found if f.severity is not Severity.NOTE]
        new = [f for f in loud if before.get(f.check, Severity.NOTE) is Severity.NOTE]
        first = [f for f in new if f.check not in self._explained]
        self._explained |= {f.check for f in first}
        lines = [f"{f.check} ({f.severity}): {evidence_text(f)}. {f.meaning}" for f in first]
        if again := [f"{f.check} ({counts[f.check]} trials so far)" for f in new if f not in first]:
            lines.append(", ".join(again))
        for line in lines:
            self._listener(Event("found", f"trial {number} epoch {step} {line}"))

    def _tag(self, number: int, step: int, found: Sequence[Finding], before: Severities) -> None:
        tags = {"orch.findings": ",".join(f.check for f in found)}
        tags |= {f"{_TAG}{f.check}": f"{f.severity}: {evidence_text(f)}" for f in found}
        tags |= {f"{_TAG}{check}": f"gone at epoch {step}" for check in before if check not in severities(found)}
        self._tracker.tag(number, tags)
        counts = self.counts
        totals = {f"orch.num_finding.{check}": str(counts.get(check, 0)) for check in sorted(self._met)}
        self._tracker.tag(None, {"orch.findings": ",".join(counts), **totals})
