"""What MLflow is told of a confirmation besides its trainings: what test measured, the figures, the verdict.

Called when a confirmation is finished, and when all of it is told again.
"""

from collections.abc import Mapping
from contextlib import closing

from orchestrator.study import SweepRecord
from orchestrator.study.confirmations import ConfirmationLog, Examined
from orchestrator.sweeps.confirming.find import confirmations, report_of
from orchestrator.sweeps.confirming.report import ConfirmationReport
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.tracking import Tracker


def tell_confirmation(
    tracker: Tracker, report: ConfirmationReport, record: SweepRecord, examined: Mapping[int, Examined]
) -> None:
    """Test metrics on the trainings' runs; verdict and figures on the confirmation's own."""
    for number, found in examined.items():
        tracker.log(number, found.metrics, step=found.step, at_ms=found.at_ms)
    at_ms = max([record.ended_ms or 0, *(found.at_ms for found in examined.values())])
    tracker.log(None, _figures(report), step=0, at_ms=at_ms)
    tracker.tag(None, verdict_tags(report))


def retell_confirmation(tracker: Tracker, record: SweepRecord, home: Home) -> None:
    """Tell again what a finished confirmation has shown, on its own run or on that of its search."""
    with closing(open_storage(home)) as storage:
        if record.confirms is None:
            for confirmation in confirmations(storage, record.name):
                if (report := report_of(storage, confirmation.name)) is not None:
                    tracker.tag(None, verdict_tags(report))
        elif (report := report_of(storage, record.name)) is not None:
            examined = ConfirmationLog(storage.open(record.name)).examined()
            tell_confirmation(tracker, report, record, examined)


def verdict_tags(report: ConfirmationReport) -> dict[str, str]:
    """The verdict, for both runs."""
    return {
        "orch.confirmation": report.confirmation,
        "orch.verdict": report.verdict.outcome,
        "orch.verdict_names": ", ".join(report.verdict.names),
        "orch.verdict_text": report.verdict.sentence,
        "orch.num_test_reads": str(len(report.reads)),
    }


def _figures(report: ConfirmationReport) -> dict[str, float]:
    """The means and the drops by candidate, as metrics of the confirmation's run."""
    found: dict[str, float] = {}
    for candidate in report.candidates:
        name = candidate.label.replace(" ", "_")
        if candidate.val is not None:
            found[f"confirmed/{name}/{report.metric}"] = candidate.val.mean
        if candidate.test is not None and report.test_metric is not None:
            found[f"confirmed/{name}/{report.test_metric}"] = candidate.test.mean
        if candidate.drop is not None:
            found[f"confirmed/{name}/drop"] = candidate.drop.mean
    return found
