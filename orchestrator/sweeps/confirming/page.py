"""A confirmation as files: one self-contained HTML page with the intervals, and the report as JSON."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
import plotly.io

from orchestrator.sweeps.confirming.report import ConfirmationReport, Confirmed, Estimate

_STYLE = "body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; max-width: 60rem; color: #222; }"
_ROW_PX = 60


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
        f"{plot}<ul>{notes}</ul>{read_list}</html>\n"
    )


def figure(report: ConfirmationReport) -> go.Figure:
    """Candidates as rows, the best at the top: the search's value, val with fresh seeds, test."""
    candidates = list(reversed(report.candidates))
    made = go.Figure()
    for trace in _traces(report, candidates):
        made.add_trace(trace)
    made.update_layout(
        template="plotly_white",
        height=140 + _ROW_PX * len(candidates),
        scattermode="group",
        xaxis_title=report.metric if report.test_metric is None else f"{report.metric} and {report.test_metric}",
        legend={"orientation": "h", "y": -0.25},
    )
    return made


def _traces(report: ConfirmationReport, candidates: Sequence[Confirmed]) -> Iterator[go.Scatter]:
    searched = [candidate for candidate in candidates if candidate.search_value is not None]
    yield go.Scatter(
        x=[candidate.search_value for candidate in searched],
        y=[candidate.label for candidate in searched],
        mode="markers",
        name="the search's value",
        marker={"symbol": "circle-open", "size": 10, "color": "#888"},
    )
    yield _intervals(f"{report.metric}, fresh seeds", {c.label: c.val for c in candidates}, color="#1f77b4")
    if report.test_metric is not None:
        yield _intervals(report.test_metric, {c.label: c.test for c in candidates}, color="#d62728")


def _intervals(name: str, estimates: dict[str, Estimate | None], *, color: str) -> go.Scatter:
    known = {label: estimate for label, estimate in estimates.items() if estimate is not None}
    return go.Scatter(
        x=[estimate.mean for estimate in known.values()],
        y=list(known),
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
