"""Rows of a CSV or Parquet file as strings, each with the place that an error message names."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trainables.data.errors import DataError


@dataclass(frozen=True, slots=True)
class Row:
    """One row: file and line (of a Parquet file, its row from 0), and the cells of the columns that were asked for.

    A cell that is blank, null or NaN is the empty string.
    """

    where: str
    cells: Sequence[str]


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a file.

    Raises: DataError: it is missing or damaged, has no rows, or lacks a column.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected a .csv or .parquet file")
    match path.suffix:
        case ".csv":
            rows = list(_read_csv(path, columns))
        case ".parquet":
            rows = list(_read_parquet(path, columns))
        case suffix:
            raise DataError(f"{path}: the ending is {suffix!r}; expected .csv or .parquet")
    if not rows:
        raise DataError(f"{path}: no rows")
    return rows


def _read_csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            places = _places(path, header, columns)
            begin = reader.line_num + 1
            for cells in reader:
                where, begin = f"{path}:{begin}", reader.line_num + 1
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise DataError(f"{where}: {len(cells)} cells; expected {len(header)}, as in the header")
                yield Row(where, [cells[place].strip() for place in places])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected UTF-8 CSV with a header") from error


def _read_parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        table = pd.read_parquet(path)
    # Pyarrow's errors have no base of their own.
    except Exception as error:
        raise DataError(f"{path}: cannot be read ({error}); expected a Parquet file") from error
    places = _places(path, [str(name) for name in table.columns], columns)
    cells = [[_as_text(value) for value in table.iloc[:, place]] for place in places]
    for number, row in enumerate(zip(*cells, strict=True)):
        yield Row(f"{path}, row {number}", row)


def _places(path: Path, header: Sequence[str], columns: Sequence[str]) -> list[int]:
    missing = [name for name in columns if name not in header]
    if missing:
        raise DataError(f"{path}: no column {', '.join(map(repr, missing))}; there are {', '.join(map(repr, header))}")
    return [header.index(name) for name in columns]


def _as_text(value: object) -> str:
    """Whole numbers are written without a point: a blank turns a column of them into floats."""
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
