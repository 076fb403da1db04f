"""Reading sweeps: what is there, how one stands, how several compare. Changes nothing and creates nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from orchestrator import analysis
from orchestrator.analysis import Comparison
from orchestrator.errors import IntegrityError, UsageError
from orchestrator.study import Storage, SweepRecord, is_absent
from orchestrator.study.importance import Importance, importance
from orchestrator.sweeps.lock import driver_of
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.tracking import num_pending, redact
from orchestrator.trial import TrialRecord


def open_storage(home: Home) -> Storage:
    """The ledger that is there.

    Raises:
        UsageError: there is none; none is made.
    """
    if is_absent(home.ledger_url):
        where = redact(home.ledger_url) if home.ledger else home.ledger_file
        raise UsageError(f"there is no ledger at {where}; set ORCH_HOME or --ledger, or start a sweep")
    refuse_emptied(home)
    return Storage(home.ledger_url)


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
    """All sweeps with their trials, oldest first; none when there is no ledger yet."""
    return list(newest_sweeps(home, lambda _: True))[::-1]


def newest_sweeps(home: Home, wanted: Callable[[SweepRecord], bool]) -> Iterator[SweepSummary]:
    """The sweeps that are wanted by their records, newest first; the trials of the others are not read."""
    if is_absent(home.ledger_url):
        return
    with closing(Storage(home.ledger_url)) as storage:
        for record in reversed(storage.sweeps()):
            if wanted(record):
                yield _summary(home, storage, record.name)


def show(home: Home, reference: str) -> SweepSummary:
    """One sweep by name or id.

    Raises:
        SweepNotFoundError
    """
    with closing(open_storage(home)) as storage:
        summary = _summary(home, storage, reference)
        return replace(summary, confirmation=_confirmation(storage, summary.sweep.id))


def importance_of(home: Home, reference: str) -> Importance | None:
    """How much each parameter of a sweep matters; None where too few trials can be compared.

    Raises:
        SweepNotFoundError
    """
    with closing(open_storage(home)) as storage:
        return importance(storage.open(reference))


def _summary(home: Home, storage: Storage, reference: str) -> SweepSummary:
    ledger = storage.open(reference)
    record = ledger.sweep
    paths = home.sweep(record.id)
    pending = num_pending(paths.outbox)
    driver = driver_of(storage, record, paths)
    words = None if driver is None else driver.words
    return SweepSummary(record, ledger.records(), driver=words, num_pending=pending)


def _confirmation(storage: Storage, sweep_id: str) -> list[TrialRecord]:
    """The trials of all sweeps that confirm one."""
    confirming = [record for record in storage.sweeps() if record.confirming and record.confirming.sweep_id == sweep_id]
    return [trial for record in confirming for trial in storage.open(record.name).records()]


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
    with closing(open_storage(home)) as storage:
        for reference in references:
            name, _, number = reference.partition("/")
            summary = summaries.setdefault(name, _summary(home, storage, name))
            trials = chosen.setdefault(summary.sweep.name, [])
            if number:
                if not number.isdigit():
                    raise UsageError(f"{reference!r}: the form is SWEEP or SWEEP/NUMBER")
                trials.append(find_trial(summary, int(number)))
            else:
                trials.extend(analysis.ranked(summary.trials, summary.sweep.spec.objective)[:top])
    return Compared(list(summaries.values()), analysis.compare(chosen))
