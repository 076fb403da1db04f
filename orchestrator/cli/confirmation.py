"""A confirmation on the terminal: the table of a report, and its line beside a search. Called by other commands."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.cli.output import duration, number, params_text, print_indented, table
from orchestrator.sweeps.confirming.find import Found
from orchestrator.sweeps.confirming.report import ConfirmationReport, Confirmed, Difference, Drop, Estimate
from orchestrator.trial import JsonValue

STYLES = {"winner": "bold green", "tie": "bold yellow", "none": "bold yellow"}


def print_report(console: Console, report: ConfirmationReport) -> None:
    """Verdict, table, costs, reads of test, notes."""
    console.print(Text(report.verdict.sentence, style=STYLES[report.verdict.outcome]), soft_wrap=True)
    console.print(_table(report))
    for candidate in report.candidates:
        console.print(f"  {candidate.label:<10} {params_text(candidate.params)}", markup=False, soft_wrap=True)
    for name, text in _rows(report):
        console.print(f"  {name:<10} {text}", markup=False, soft_wrap=True)
    for note in report.notes:
        print_indented(console, Text(f"note: {note}", style="yellow"), by=2)


def confirmation_rows(found: Found, trial: int | None = None) -> list[tuple[str, str]]:
    """What a search's page says of its confirmation: the verdict, and `trial` with fresh seeds beside its value."""
    report = found.report
    rows = [] if report is None else [("confirmed", f"{report.verdict.sentence} ({report.confirmation})")]
    if report is not None and trial is not None:
        rows.append(("", _beside(report, trial)))
    if found.unfinished is not None:
        rows.append(("", f"{found.unfinished} is not finished; go on with: orch resume {found.unfinished}"))
    return rows


def report_json(name: str, state: str, report: ConfirmationReport | None) -> dict[str, JsonValue]:
    """A confirmation beside a search, and alone."""
    shown: JsonValue = None if report is None else report.model_dump(mode="json")
    return {"sweep": name, "state": state, "report": shown}


def found_json(found: Found) -> dict[str, JsonValue]:
    """To add to the JSON of a search; nothing where it has no finished confirmation."""
    report = found.report
    return {} if report is None else {"confirmation": report_json(report.confirmation, "COMPLETE", report)}


def _beside(report: ConfirmationReport, trial: int) -> str:
    found = report.of_trial(trial)
    if found is None or found.val is None:
        return f"trial {trial} was not confirmed"
    on_test = "" if found.test is None else f", {report.test_metric} {_estimate(found.test)}"
    value = f"{report.metric} {_estimate(found.val)} with {found.val.num_seeds} fresh seeds{on_test}"
    return f"{found.label}: the search said {number(found.search_value)}, confirmed {value}"


def _table(report: ConfirmationReport) -> Table:
    """Fits a narrow terminal: val and test without the metric's name, which the verdict has."""
    on_test = report.test_metric is not None
    columns = ("search", "val", "seeds", "drop", *(["test"] if on_test else []), f"over {report.reference}")
    rows = table("candidate", *columns, numeric=columns)
    for candidate in report.candidates:
        drop = "-" if candidate.drop is None else f"{candidate.drop.mean:+.3g}"
        cells = [number(candidate.search_value), _estimate(candidate.val), _seeds(candidate), drop]
        if on_test:
            cells.append(_estimate(candidate.test))
        difference = candidate.test_difference if on_test else candidate.val_difference
        standing = "" if candidate.is_finalist else "ruled out" if candidate.seeds else "failed"
        cells.append(standing or _difference(difference))
        rows.add_row(candidate.label, *cells, style="green" if candidate.label in report.verdict.names else "")
    return rows


def _rows(report: ConfirmationReport) -> Sequence[tuple[str, str]]:
    costs = report.costs
    rows = [("intervals", f"95 %; those of {report.deciding_metric} cover {report.covers}")]
    if report.expected_drop is not None:
        rows.append(("drop", f"search value minus confirmed value, {_drop(report.expected_drop)} on average"))
    training = f"{costs.trainings} trainings, {costs.epochs} epochs, {duration(costs.train_s)} training"
    rows.append(("cost", f"{training}, {duration(costs.wall_s)} wall"))
    for read in report.reads:
        state = "" if read.finished else ", interrupted"
        rows.append(("test read", f"{read.at} by {read.who} for {read.confirmation} ({read.why}{state})"))
    return rows


def _estimate(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.mean:.3g}{_arm(found.mean, found.low, found.high)}"


def _drop(found: Drop | None) -> str:
    return "-" if found is None else f"{found.mean:+.3g}{_arm(found.mean, found.low, found.high)}"


def _difference(found: Difference | None) -> str:
    return "-" if found is None else f"{found.mean:+.3g}{_arm(found.mean, found.low, found.high)}"


def _arm(mean: float, low: float | None, high: float | None) -> str:
    """The longer arm of an interval; its ends are in the JSON and on the page."""
    return "" if low is None or high is None else f" ±{max(high - mean, mean - low):.2g}"


def _seeds(candidate: Confirmed) -> str:
    failed = f" ({candidate.num_failed} failed)" if candidate.num_failed else ""
    return f"{len(candidate.seeds)}{failed}"
