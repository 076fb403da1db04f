"""The user's own texts: one table with a text, a split and any number of label columns, in which cells may be blank.

The README of the toxicity task describes the file; every fault names the file and the line.
"""

from pathlib import Path

import numpy as np

from trainables.data.errors import DataError, Split
from trainables.data.texts.sources import FilesSource, LabelColumn
from trainables.data.texts.table import Row, read_table
from trainables.data.texts.texts import MISSING, LabelTask, RawTexts, check_labelled


def files_tasks(source: FilesSource) -> tuple[LabelTask, ...]:
    """One task for each label column."""
    return tuple(LabelTask(label.column, label.classes) for label in source.labels)


def read_files(source: FilesSource, split: Split) -> RawTexts:
    """The texts of one split; one without any label stays, as a text that nothing is learned from.

    Raises: DataError: the file is missing or damaged, a column is missing, a cell is not as described, the split is
        empty, or one of its label columns is.
    """
    columns = [source.text_column, source.split_column, *(label.column for label in source.labels)]
    # Every row is checked, whatever its split: a fault in test should not come up after the sweep.
    rows = [(_split(row), row) for row in read_table(Path(source.path), columns)]
    texts = [(name, _text(row), [_label(row, i, label) for i, label in enumerate(source.labels)]) for name, row in rows]
    chosen = [(text, labels) for name, text, labels in texts if name is split]
    if not chosen:
        raise DataError(f"{source.path}: no row is marked {split.value!r} in the column {source.split_column!r}")
    raw = RawTexts([text for text, _ in chosen], np.array([labels for _, labels in chosen], dtype=np.int64))
    check_labelled(raw, files_tasks(source), where=f"{source.path}, {split.value}")
    return raw


def _split(row: Row) -> Split:
    try:
        return Split(row.cells[1])
    except ValueError as error:
        raise DataError(f"{row.where}: the split is {row.cells[1]!r}; expected train, val or test") from error


def _text(row: Row) -> str:
    if not row.cells[0]:
        raise DataError(f"{row.where}: the text is empty")
    return row.cells[0]


def _label(row: Row, number: int, label: LabelColumn) -> int:
    cell = row.cells[2 + number]
    if not cell:
        return MISSING
    if cell not in label.classes:
        allowed = ", ".join(label.classes)
        raise DataError(f"{row.where}: the label in {label.column!r} is {cell!r}; expected {allowed}, or a blank")
    return label.classes.index(cell)
