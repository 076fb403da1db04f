"""ECG-ID as it comes from PhysioNet: a folder for each person, WFDB headers and 16-bit samples. Called by `load`.

A small reader of its own: WFDB's format 16 is plain, and the `wfdb` package warns on import with pandas 3.1.
Checksums in the headers are not compared: one intact file of the published set, Person_13/rec_2, fails its own.
Source: Lugovaya 2005, "Biometric human identification based on electrocardiogram"; the header format is described at
https://physionet.org/physiotools/wag/header-5.htm
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import DataError
from trainables.data.recordings.recordings import Entry, Recording
from trainables.data.recordings.sources import Channels, EcgIdSource

_RECORD = re.compile(r"^(\S+) (\d+) (\d+(?:\.\d+)?)\S* (\d+)")
_SIGNAL = re.compile(r"^(\S+) 16 (\d+(?:\.\d+)?)\S* \d+ (-?\d+) -?\d+ -?\d+ \d+ .*$")
_DATE = re.compile(r"^#\s*ECG date:\s*(\S+)", re.MULTILINE)
_PICKED = {Channels.BOTH: (1, 0), Channels.FILTERED: (1,), Channels.RAW: (0,)}
"""Channels of the file in the order of ours: the filtered one first, because beats are looked for there."""


@dataclass(frozen=True, slots=True)
class _Header:
    data_file: str
    num_samples: int
    rate_hz: float
    gains: tuple[float, ...]
    zeros: tuple[float, ...]
    day: str


def list_ecg_id(source: EcgIdSource) -> list[Entry]:
    """Every record of every person, not read yet, in order of their names.

    Raises: DataError: the folder has no records.
    """
    root = Path(source.root)
    headers = sorted(root.glob("Person_*/rec_*.hea"), key=_natural)
    if not headers:
        raise DataError(f"{root}: no records; expected folders Person_01, ... with rec_1.hea and rec_1.dat")
    return [_entry(path, source.channels) for path in headers]


def _natural(path: Path) -> tuple[str, int, str]:
    number = re.sub(r"\D", "", path.stem)
    return path.parent.name, int(number or 0), path.stem


def _entry(path: Path, channels: Channels) -> Entry:
    return Entry(person=path.parent.name, read=lambda: _read(path, channels))


def _read(path: Path, channels: Channels) -> Recording:
    header = _read_header(path)
    samples_CT = _read_samples(path.parent / header.data_file, header)
    return Recording(
        name=str(path.with_suffix("")),
        person=path.parent.name,
        day=header.day,
        signal_CT=samples_CT[list(_PICKED[channels])],
        rate_hz=header.rate_hz,
    )


def _read_header(path: Path) -> _Header:
    """Raises: DataError: naming the line that is not as expected."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected a WFDB header") from error
    lines = text.splitlines() or [""]
    record = _RECORD.match(lines[0])
    if record is None or record.group(2) != "2" or float(record.group(3)) <= 0:
        raise DataError(f"{path}:1: {lines[0]!r} is no record line of 2 signals; expected 'rec_1 2 500 10000'")
    signals = [_SIGNAL.match(line) for line in [*lines[1:3], "", ""][:2]]
    for number, found in enumerate(signals, start=2):
        if found is None or float(found.group(2)) == 0:
            raise DataError(
                f"{path}:{number}: no signal line of format 16; expected 'rec_1.dat 16 200 12 0 -17 17532 0 ECG I'"
            )
    parsed = [found.groups() for found in signals if found is not None]
    date = _DATE.search(text)
    if date is None:
        raise DataError(f"{path}: no date, which the same-day and cross-day protocols need; expected '# ECG date: ...'")
    return _Header(
        data_file=parsed[0][0],
        num_samples=int(record.group(4)),
        rate_hz=float(record.group(3)),
        gains=tuple(float(gain) for _, gain, _ in parsed),
        zeros=tuple(float(zero) for _, _, zero in parsed),
        day=date.group(1),
    )


def _read_samples(path: Path, header: _Header) -> NDArray[np.float64]:
    """(2, T) in the header's physical units, millivolts."""
    try:
        raw = np.fromfile(path, dtype="<i2")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); expected 16-bit samples") from error
    expected = 2 * header.num_samples
    if raw.size != expected or path.stat().st_size != 2 * expected:
        raise DataError(
            f"{path}: {path.stat().st_size} bytes, which end within sample {path.stat().st_size // 4}; expected "
            f"{2 * expected} bytes, {header.num_samples} samples of two 16-bit channels"
        )
    samples_CT = raw.reshape(-1, 2).T.astype(np.float64)
    zeros, gains = np.array(header.zeros)[:, None], np.array(header.gains)[:, None]
    physical_CT: NDArray[np.float64] = (samples_CT - zeros) / gains
    return physical_CT
