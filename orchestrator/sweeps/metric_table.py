"""A CSV of metrics as measurements that the doctor can read: our names for its columns, one measurement per epoch.

Called by `diagnose`. Standard library only; a fault names the file, the line and the column.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UsageError
from trainables.contract import Measurement
from trainables.health.aliases import factor, is_step, translate

_DELIMITERS = ",;\t"
_BLANK = ("", "-", "n/a", "none", "null")
_DECIMAL_COMMA = re.compile(r"([-+]?\d+),(\d+%?)")


@dataclass(frozen=True, slots=True)
class MetricTable:
    """What a file holds.

    Attributes:
        renamed: column to our name for it, where they differ.
        notes: what was left out, merged or shifted, a sentence each.
    """

    measurements: Sequence[Measurement]
    renamed: Mapping[str, str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Raw:
    """The cells of a file as text: `lines` holds the number of each row's line."""

    path: Path
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def number(self, row: int, column: int) -> float | None:
        """A cell as a number, None where it is blank."""
        text = self.rows[row][column]
        if text.lower() in _BLANK:
            return None
        try:
            return _parse(text) * factor(self.header[column])
        except ValueError:
            where = f"{self.path}, line {self.lines[row]}, column {self.header[column]!r}"
            raise UsageError(f"{where}: {text!r} is not a number") from None

    def is_text(self, column: int) -> bool:
        """Whether no cell of a column is a number, though some are filled."""
        filled = [row[column] for row in self.rows if row[column].lower() not in _BLANK]
        return bool(filled) and not any(_is_number(text) for text in filled)


def read_metric_table(path: Path) -> MetricTable:
    """Read a CSV with a column of epochs or steps and a column for each metric; blank cells were not measured.

    Raises:
        UsageError: the file cannot be read, has no such column or no row, or a cell is not a number.
    """
    raw = _read(path)
    step_column, *other_steps = _step_columns(raw)
    text = [i for i in range(len(raw.header)) if i not in (step_column, *other_steps) and raw.is_text(i)]
    names = _names(raw, without=(step_column, *other_steps, *text))
    by_step: dict[int, dict[str, float]] = {}
    for row in range(len(raw.rows)):
        values = {name: raw.number(row, column) for column, name in names.items()}
        measured = by_step.setdefault(_step(raw, row, step_column), {})
        measured |= {name: value for name, value in values.items() if value is not None}
    notes = [f"left out: {raw.header[i]} (text)" for i in text]
    notes += [f"left out: {raw.header[i]} (rows are counted by {raw.header[step_column]})" for i in other_steps]
    if len(by_step) < len(raw.rows):
        notes.append(f"{len(raw.rows)} rows make {len(by_step)} epochs: of equal ones the last value of a metric stays")
    if any(name.startswith("train/") for name in by_step.get(0, {})):
        by_step = {step + 1: values for step, values in by_step.items()}
        notes.append("epochs are counted from 1 here: the first, 0 in the file, has trained already")
    return MetricTable(
        measurements=[Measurement(step, by_step[step]) for step in sorted(by_step)],
        renamed={raw.header[i]: name for i, name in names.items() if name != raw.header[i]},
        notes=notes,
    )


def _read(path: Path) -> _Raw:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); expected a CSV file in UTF-8") from error
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(_DELIMITERS, key=first.count), skipinitialspace=True)
    filled = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    if not filled:
        raise UsageError(f"{path}: is empty; expected a line of column names and a line for each epoch")
    (_, header), *rows = filled
    if not rows:
        raise UsageError(f"{path}: no epochs, only a line of column names")
    for line, cells in rows:
        if len(cells) != len(header):
            raise UsageError(f"{path}, line {line}: {len(cells)} cells, but {len(header)} columns")
    return _Raw(path, header, [cells for _, cells in rows], [line for line, _ in rows])


def _step_columns(raw: _Raw) -> list[int]:
    """The columns that count; one that counts epochs goes first."""
    found = [i for i, name in enumerate(raw.header) if is_step(name)]
    if not found:
        columns = ", ".join(raw.header)
        raise UsageError(f"{raw.path}: no column counts epochs or steps (epoch, step); the columns are {columns}")
    return sorted(found, key=lambda i: "epoch" not in raw.header[i].lower())


def _names(raw: _Raw, *, without: Sequence[int]) -> dict[int, str]:
    """Our name for each column of numbers."""
    names: dict[int, str] = {}
    for column, title in enumerate(raw.header):
        if column in without or not title:
            continue
        name = translate(title)
        if name in names.values():
            other = next(raw.header[i] for i, known in names.items() if known == name)
            raise UsageError(f"{raw.path}: the columns {other!r} and {title!r} are both {name}; keep one of them")
        names[column] = name
    if not names:
        raise UsageError(f"{raw.path}: no column of numbers beside the epochs")
    return names


def _step(raw: _Raw, row: int, column: int) -> int:
    value = raw.number(row, column)
    if value is None or not math.isfinite(value) or value < 0 or value != int(value):
        where = f"{raw.path}, line {raw.lines[row]}, column {raw.header[column]!r}"
        raise UsageError(f"{where}: {raw.rows[row][column]!r} is not an epoch or step (0, 1, 2, ...)")
    return int(value)


def _parse(text: str) -> float:
    """A number, also with a decimal comma or a percent sign. Raises: ValueError: it is none."""
    plain = _DECIMAL_COMMA.sub(r"\1.\2", text) if _DECIMAL_COMMA.fullmatch(text) else text
    return float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)


def _is_number(text: str) -> bool:
    try:
        _parse(text)
    except ValueError:
        return False
    return True
