"""Which confirmations a sweep has, and what the newest one says. Read by `show`, `best`, `export` and `confirm`."""

from collections.abc import Sequence
from contextlib import closing

from orchestrator.study import Storage, SweepRecord
from orchestrator.study.confirmations import ConfirmationLog
from orchestrator.sweeps.confirming.report import ConfirmationReport
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage


def confirmations(storage: Storage, sweep: str) -> Sequence[SweepRecord]:
    """The confirmations of a search, oldest first."""
    return [record for record in storage.sweeps() if record.confirms == sweep]


def report_of(storage: Storage, confirmation: str) -> ConfirmationReport | None:
    """What a confirmation says; None while it is not finished."""
    written = ConfirmationLog(storage.open(confirmation)).report
    return None if written is None else ConfirmationReport.model_validate(written)


def confirmation_of(home: Home, reference: str) -> ConfirmationReport | None:
    """The newest finished confirmation of a search, or the report of a confirmation; None where there is none.

    Raises:
        SweepNotFoundError
    """
    with closing(open_storage(home)) as storage:
        record = storage.find(reference)
        if record.confirms is not None:
            return report_of(storage, record.name)
        reports = [report_of(storage, found.name) for found in confirmations(storage, record.name)]
        return next((report for report in reversed(reports) if report is not None), None)
