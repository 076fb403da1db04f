"""A confirmation as files: one self-contained HTML page with the intervals, and the report as JSON."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
import plotly.io

from orchestrator.sweeps.confirming.report import ConfirmationReport, Difference, Drop, Estimate

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; max-width: 65rem; color: #222; }
table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
"""
_ROW_PX = 60
_APART = 0.22
"""Between the marks of one candidate, in rows."""


def write_files(report: ConfirmationReport, folder: Path) -> list[Path]:
    """Write `confirmation.html` and `confirmation.json`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "confirmation.html", folder / "confirmation.json"
    page.write_text(_page(report))
    data.write_text(report.model_dump_json(indent=2))
    return [page, data]


def _page(report: ConfirmationReport) -> str:
    plot = plotly.io.to_html(figure(report), full_html=False, include_plotlyjs=True)
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    reads = "".join(f"<li>{escape(f'{read.who}, {read.at}, {read.why}')}</li>" for read in report.reads)
    read_list = f"<h2>Reads of test: {len(report.reads)}</h2><ul>{reads}</ul>" if reads else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(report.confirmation)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(report.sweep)}, confirmed</h1>"
        f"<p><b>{escape(report.verdict.sentence)}</b></p>"
        f"<p>95 % intervals; those of {escape(report.deciding_metric)} cover {escape(report.covers)}.</p>"
        f"{plot}{_table(report)}<ul>{notes}</ul>{read_list}</html>\n"
    )


def figure(report: ConfirmationReport) -> go.Figure:
    """Candidates as rows, the best at the top: the search's value, val with fresh seeds, test."""
    made = go.Figure(list(_traces(report)))
    rows = range(len(report.candidates))
    made.update_layout(
        template="plotly_white",
        height=140 + _ROW_PX * len(rows),
        xaxis_title=report.metric if report.test_metric is None else f"{report.metric} and {report.test_metric}",
        yaxis={
            "tickvals": list(rows),
            "ticktext": [candidate.label for candidate in report.candidates],
            "range": [len(rows) - 0.5, -0.5],
        },
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )
    return made


def _traces(report: ConfirmationReport) -> Iterator[go.Scatter]:
    searched = {row: c.search_value for row, c in enumerate(report.candidates) if c.search_value is not None}
    yield go.Scatter(
        x=list(searched.values()),
        y=[row - _APART for row in searched],
        mode="markers",
        name="the search's value",
        marker={"symbol": "circle-open", "size": 10, "color": "#666"},
    )
    val = [candidate.val for candidate in report.candidates]
    yield _intervals(f"{report.metric}, fresh seeds", val, shift=0.0, color="#1f77b4")
    if report.test_metric is not None:
        test = [candidate.test for candidate in report.candidates]
        yield _intervals(report.test_metric, test, shift=_APART, color="#d62728")


def _intervals(name: str, estimates: Sequence[Estimate | None], *, shift: float, color: str) -> go.Scatter:
    known = {row: estimate for row, estimate in enumerate(estimates) if estimate is not None}
    return go.Scatter(
        x=[estimate.mean for estimate in known.values()],
        y=[row + shift for row in known],
        error_x={
            "array": [_arm(e.high, e.mean) for e in known.values()],
            "arrayminus": [_arm(e.mean, e.low) for e in known.values()],
        },
        mode="markers",
        name=name,
        marker={"size": 10, "color": color},
    )


def _arm(high: float | None, low: float | None) -> float:
    """An end that is not known is not drawn."""
    return 0.0 if high is None or low is None else high - low


def _table(report: ConfirmationReport) -> str:
    deciding = report.test_metric is not None
    heads = ("candidate", "search", report.metric, "seeds", "drop", report.test_metric, f"over {report.reference}")
    lines = [
        (
            candidate.label,
            "" if candidate.search_value is None else f"{candidate.search_value:.4g}",
            _text(candidate.val),
            str(len(candidate.seeds)),
            _text(candidate.drop),
            _text(candidate.test),
            _text(candidate.test_difference if deciding else candidate.val_difference),
        )
        for candidate in report.candidates
    ]
    head = "".join(f"<th>{escape(text or '')}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(found: Estimate | Difference | Drop | None) -> str:
    if found is None:
        return ""
    ends = "" if found.low is None or found.high is None else f" ({found.low:.4g} to {found.high:.4g})"
    return f"{found.mean:.4g}{ends}"
