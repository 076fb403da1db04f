"""Which confirmations a sweep has, and what the newest one says. Read by `show`, `best`, `export` and `confirm`."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from orchestrator.study import Archive, SweepRecord
from orchestrator.study.confirmations import REPORT
from orchestrator.sweeps.confirming.report import ConfirmationReport
from orchestrator.sweeps.overview import open_home
from orchestrator.sweeps.paths import Home


def confirmations(archive: Archive, sweep: str) -> Sequence[SweepRecord]:
    """The confirmations of a search, oldest first."""
    return [record for record in archive.sweeps() if record.confirms == sweep]


def report_of(archive: Archive, confirmation: str) -> ConfirmationReport | None:
    """What a confirmation says; None while it is not finished."""
    written = archive.attributes((REPORT,))[confirmation].get(REPORT)
    return None if written is None else ConfirmationReport.model_validate(written)


def is_confirmation(home: Home, reference: str) -> bool:
    """Whether a sweep is one.

    Raises:
        SweepNotFoundError
    """
    with closing(open_home(home)) as archive:
        return archive.find(reference).confirms is not None


@dataclass(frozen=True, slots=True)
class Found:
    """The newest finished confirmation of a search, or a confirmation itself; and one that still has to go on."""

    report: ConfirmationReport | None
    unfinished: str | None


def find(home: Home, reference: str) -> Found:
    """What there is for a search or a confirmation.

    Raises:
        SweepNotFoundError
    """
    with closing(open_home(home)) as archive:
        record = archive.find(reference)
        names = [record.name] if record.confirms else [found.name for found in confirmations(archive, record.name)]
        reports = {name: report_of(archive, name) for name in names}
    finished = [report for report in reports.values() if report is not None]
    unfinished = [name for name, report in reports.items() if report is None]
    return Found(finished[-1] if finished else None, unfinished[-1] if unfinished else None)


def confirmation_of(home: Home, reference: str) -> ConfirmationReport | None:
    """The newest finished confirmation of a search, or the report of a confirmation; None where there is none.

    Raises:
        SweepNotFoundError
    """
    return find(home, reference).report
