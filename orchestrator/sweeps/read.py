"""Reading sweeps with all that was measured, and what needs Optuna. Changes nothing and creates nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from orchestrator.study import Storage, SweepRecord, is_absent
from orchestrator.study.importance import Importance
from orchestrator.study.matched_epochs import importance
from orchestrator.sweeps.overview import confirming_sweeps, refuse_absent, summary_of
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary


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
        confirming = confirming_sweeps(storage, summary.sweep)
        return replace(
            summary, confirmation=[trial for record in confirming for trial in storage.open(record.name).records()]
        )


def importance_of(home: Home, reference: str) -> Importance | None:
    """How much each parameter of a sweep matters; None where too few trials can be compared.

    Raises:
        SweepNotFoundError
    """
    with closing(open_storage(home)) as storage:
        return importance(storage.open(reference))


def _summary(home: Home, storage: Storage, reference: str) -> SweepSummary:
    ledger = storage.open(reference)
    return summary_of(home, storage, ledger.sweep, ledger.records())
