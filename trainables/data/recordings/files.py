"""The user's own recordings: an index of records and one array for each, in one folder. Called by `load`.

The README of the identification task describes the files; every fault names the file, the line and what is expected.
"""

import csv
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import DataError
from trainables.data.recordings.recordings import Entry, Recording
from trainables.data.recordings.sources import FilesSource

_COLUMNS = ("person", "record", "date")
_SHAPE = "a float or integer array of shape (samples,) or (channels, samples)"


def list_files(source: FilesSource) -> list[Entry]:
    """Every record of the index, not read yet.

    Raises: DataError: the index is missing or damaged, lacks a column or a value, or names a record twice.
    """
    root = Path(source.root)
    rows = _read_index(root / "index.csv")
    archive = root / "signals.npz"
    return [_entry(row, archive if archive.is_file() else root / f"{row['record']}.npy", source) for row in rows]


def _entry(row: dict[str, str], path: Path, source: FilesSource) -> Entry:
    def read() -> Recording:
        return Recording(
            name=f"{path}: record {row['record']!r}" if path.suffix == ".npz" else str(path),
            person=row["person"],
            day=row["date"],
            signal_CT=_read_signal(path, row["record"]),
            rate_hz=source.rate_hz,
        )

    return Entry(person=row["person"], read=read)


def _read_index(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="more", restval="")
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected the columns {', '.join(_COLUMNS)}") from error
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise DataError(f"{path}:1: no column {', '.join(missing)}; found {', '.join(columns)}")
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        blank = [name for name in _COLUMNS if not row[name].strip()]
        if blank:
            raise DataError(f"{path}:{line}: {', '.join(blank)} is blank; expected a value in each column")
        if row["record"] in seen:
            raise DataError(f"{path}:{line}: record {row['record']!r} is in line {seen[row['record']]} too")
        seen[row["record"]] = line
    if not rows:
        raise DataError(f"{path}: no records; expected a line for each")
    return [{name: row[name].strip() for name in _COLUMNS} for row in rows]


def _read_signal(path: Path, record: str) -> NDArray[np.float64]:
    try:
        loaded = np.load(path, allow_pickle=False)
        signal = loaded[record] if path.suffix == ".npz" else loaded
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: record {record!r} cannot be read ({error}); expected {_SHAPE}") from error
    if not isinstance(signal, np.ndarray) or signal.ndim not in (1, 2) or not np.issubdtype(signal.dtype, np.number):
        raise DataError(f"{path}: record {record!r} is {getattr(signal, 'shape', None)}; expected {_SHAPE}")
    if np.iscomplexobj(signal):
        raise DataError(f"{path}: record {record!r} is complex; expected {_SHAPE}")
    return np.atleast_2d(signal).astype(np.float64)
