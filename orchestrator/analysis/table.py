"""A leaderboard as a file: CSV text, and one HTML page that needs nothing else. Called by `sweeps`."""

import csv
import io
from collections.abc import Sequence
from html import escape

from orchestrator.analysis.compare import split_params
from orchestrator.analysis.leaderboard import Row
from orchestrator.trial import Value

_FIXED = ("rank", "trial", "state", "reason", "value", "best_step", "epochs", "train_s")

_FRONT, _FLOORS = "pareto_front", "below_floor"

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; }
table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
th { cursor: pointer; position: sticky; top: 0; background: #f4f4f4; }
th.constant, td.constant { color: #888; }
tr.FAILED td { color: #a33; }
"""

# Sorts by a click on a heading: numbers as numbers, empty cells last, and the other way round on a second click.
_SCRIPT = """
document.querySelectorAll("th").forEach((th, column) => th.addEventListener("click", () => {
  const body = document.querySelector("tbody"), up = th.dataset.up !== "1";
  const text = row => row.cells[column].dataset.value;
  th.dataset.up = up ? "1" : "0";
  [...body.rows].sort((a, b) => {
    const x = text(a), y = text(b);
    if (x === "" || y === "") return (x === "") - (y === "");
    const numeric = !isNaN(x) && !isNaN(y);
    return (up ? 1 : -1) * (numeric ? x - y : x.localeCompare(y));
  }).forEach(row => body.append(row));
}));
"""


def to_csv(rows: Sequence[Row]) -> str:
    """One line per trial: the fixed columns, the parameters that differ, the constant ones, the run id."""
    differing, constant = split_params([row.params for row in rows])
    names = [*differing, *constant]
    extra = _extra(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIXED, *extra, *names, "run_id"])
    for row in rows:
        params = [_exact(row.params.get(name)) for name in names]
        writer.writerow([*_fixed_cells(row), *_extra_cells(row, extra), *params, row.run_id or ""])
    return text.getvalue()


def to_html(rows: Sequence[Row], *, title: str) -> str:
    """One self-contained page with a table that sorts by a click on a heading; constant parameters are grey, last."""
    differing, constant = split_params([row.params for row in rows])
    extra = _extra(rows)
    heads = [_head(name) for name in (*_FIXED, *extra, *differing)] + [_head(name, constant=True) for name in constant]
    lines = [_line(row, extra, differing, list(constant)) for row in rows]
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>',
            f"<body><h1>{escape(title)}</h1><table><thead><tr>{''.join(heads)}</tr></thead><tbody>",
            *lines,
            f"</tbody></table><script>{_SCRIPT}</script></body></html>\n",
        ]
    )


def _extra(rows: Sequence[Row]) -> list[str]:
    """The columns of several objectives and of floors, where the sweep has them."""
    further = dict.fromkeys(name for row in rows for name in row.further)
    has_front = any(row.on_front is not None for row in rows)
    return [*further, *([_FRONT] if has_front else []), *([_FLOORS] if any(row.violated for row in rows) else [])]


def _extra_cells(row: Row, extra: Sequence[str]) -> list[str]:
    named = {_FRONT: "yes" if row.on_front else "", _FLOORS: " ".join(row.violated)}
    return [named[name] if name in named else _exact(row.further.get(name)) for name in extra]


def _line(row: Row, extra: Sequence[str], differing: Sequence[str], constant: Sequence[str]) -> str:
    cells = [_cell(cell) for cell in (*_fixed_cells(row), *_extra_cells(row, extra))]
    cells += [_cell(_exact(row.params.get(name))) for name in differing]
    cells += [_cell(_exact(row.params.get(name)), constant=True) for name in constant]
    return f'<tr class="{row.state}">{"".join(cells)}</tr>'


def _fixed_cells(row: Row) -> list[str]:
    values = (row.rank, row.number, row.state.value, row.reason, row.value, row.best_step, row.epochs)
    return [*map(_exact, values), f"{row.train_s:.3f}"]


def _exact(value: Value | None) -> str:
    return "" if value is None else str(value)


def _head(name: str, *, constant: bool = False) -> str:
    return f'<th class="constant">{escape(name)}</th>' if constant else f"<th>{escape(name)}</th>"


def _cell(text: str, *, constant: bool = False) -> str:
    number = _number(text)
    kinds = [kind for kind, holds in (("number", number is not None), ("constant", constant)) if holds]
    shown = text if number is None or "." not in text else f"{number:.5g}"
    return f'<td class="{" ".join(kinds)}" data-value="{escape(text)}">{escape(shown)}</td>'


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
