"""Looking at sweeps: what is there, how one stands, how several compare. Changes nothing and creates nothing.

Trials come without their measurements where their outline is stored, and nothing here needs Optuna: a list is quick.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from orchestrator import analysis
from orchestrator.analysis import Comparison
from orchestrator.errors import IntegrityError, UsageError
from orchestrator.study import Archive, SweepRecord, is_absent, open_archive
from orchestrator.study.importance import IMPORTANCE_KEY, StoredImportance
from orchestrator.sweeps.lock import driver_of
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.tracking import num_pending, redact
from orchestrator.trial import TrialRecord


def open_home(home: Home) -> Archive:
    """The ledger that is there.

    Raises:
        UsageError: there is none; none is made.
    """
    refuse_absent(home)
    return open_archive(home.ledger_url)


def refuse_absent(home: Home) -> None:
    """Neither a ledger that is not there nor one that was emptied can be read.

    Raises:
        UsageError, IntegrityError
    """
    if is_absent(home.ledger_url):
        where = redact(home.ledger_url) if home.ledger else home.ledger_file
        raise UsageError(f"there is no ledger at {where}; set ORCH_HOME or --ledger, or start a sweep")
    refuse_emptied(home)


def refuse_emptied(home: Home) -> None:
    """A ledger that was cut to nothing reads as a new one.

    Raises:
        IntegrityError: it is empty, and there are files of sweeps.
    """
    file = home.ledger_file
    if home.ledger is None and file.is_file() and not file.stat().st_size and home.has_sweeps:
        raise IntegrityError(
            f"the ledger {file} is empty, and there are sweeps beside it; put a backup in its place, "
            f"or move {home.root} away to begin anew"
        )


def list_sweeps(home: Home) -> list[SweepSummary]:
    """All sweeps, oldest first; none when there is no ledger yet."""
    if is_absent(home.ledger_url):
        return []
    with closing(open_archive(home.ledger_url)) as archive:
        return [_summary(home, archive, record) for record in archive.sweeps()]


def overview(home: Home, reference: str) -> SweepSummary:
    """One sweep by name or id.

    Raises:
        SweepNotFoundError
    """
    with closing(open_home(home)) as archive:
        summary = _summary(home, archive, archive.find(reference))
        confirming = confirming_sweeps(archive, summary.sweep)
        return replace(summary, confirmation=[trial for record in confirming for trial in archive.outlines(record)])


def whole_trial(home: Home, summary: SweepSummary, number: int) -> TrialRecord:
    """One trial of a sweep with its measurements and decisions.

    Raises:
        UsageError: it has no such number.
    """
    find_trial(summary, number)
    with closing(open_home(home)) as archive:
        return archive.trial(summary.sweep, number)


def stored_importance(home: Home, summary: SweepSummary) -> StoredImportance | None:
    """What the sweep's driver has found at its end; None where more trials have ended since, or nothing is stored."""
    with closing(open_home(home)) as archive:
        written = archive.attributes((IMPORTANCE_KEY,))[summary.sweep.name].get(IMPORTANCE_KEY)
    stored = None if written is None else StoredImportance.from_json(written)
    num_ended = sum(trial.state.is_terminal for trial in summary.trials)
    return stored if stored is not None and stored.num_ended == num_ended else None


def _summary(home: Home, archive: Archive, record: SweepRecord) -> SweepSummary:
    return summary_of(home, archive, record, archive.outlines(record))


def summary_of(home: Home, archive: Archive, record: SweepRecord, trials: Sequence[TrialRecord]) -> SweepSummary:
    """A sweep with its trials, who drives it, and what MLflow has not heard of."""
    paths = home.sweep(record.id)
    pending = num_pending(paths.outbox)
    driver = driver_of(archive, record, paths)
    words = None if driver is None else driver.words
    return SweepSummary(record, trials, driver=words, num_pending=pending)


def confirming_sweeps(archive: Archive, sweep: SweepRecord) -> list[SweepRecord]:
    """The sweeps that confirm one."""
    return [record for record in archive.sweeps() if record.confirming and record.confirming.sweep_id == sweep.id]


def find_trial(summary: SweepSummary, number: int) -> TrialRecord:
    """One trial of a sweep.

    Raises:
        UsageError: it has no such number.
    """
    for trial in summary.trials:
        if trial.number == number:
            return trial
    numbers = [trial.number for trial in summary.trials]
    known = f"its trials are {numbers[0]} to {numbers[-1]}" if numbers else "it has none yet"
    raise UsageError(f"sweep {summary.sweep.name} has no trial {number}; {known}")


@dataclass(frozen=True, slots=True)
class Compared:
    """Sweeps or trials side by side."""

    summaries: Sequence[SweepSummary]
    comparison: Comparison


def compare(home: Home, references: Sequence[str], *, top: int) -> Compared:
    """Compare sweeps by their `top` best trials, or single trials given as `SWEEP/NUMBER`.

    Raises:
        SweepNotFoundError, UsageError
    """
    summaries: dict[str, SweepSummary] = {}
    chosen: dict[str, list[TrialRecord]] = {}
    with closing(open_home(home)) as archive:
        for reference in references:
            name, _, number = reference.partition("/")
            if name not in summaries:
                summaries[name] = _summary(home, archive, archive.find(name))
            summary = summaries[name]
            trials = chosen.setdefault(summary.sweep.name, [])
            if number:
                if not number.isdigit():
                    raise UsageError(f"{reference!r}: the form is SWEEP or SWEEP/NUMBER")
                trials.append(find_trial(summary, int(number)))
            else:
                trials.extend(analysis.ranked(summary.trials, summary.sweep.spec.objective)[:top])
    return Compared(list(summaries.values()), analysis.compare(chosen))
