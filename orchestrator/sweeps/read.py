"""Reading sweeps with all that was measured, and what needs Optuna. Changes nothing and creates nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from orchestrator.study import Storage, SweepRecord, is_absent
from orchestrator.study.importance import Importance
from orchestrator.study.matched_epochs import importance
from orchestrator.sweeps.lock import driver_of
from orchestrator.sweeps.overview import refuse_absent
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.tracking import num_pending
from orchestrator.trial import TrialRecord


def open_storage(home: Home) -> Storage:
    """The ledger that is there.

    Raises:
        UsageError: there is none; none is made.
    """
    refuse_absent(home)
    return Storage(home.ledger_url)


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
