"""The reader of ECG-ID: values as WFDB means them, and a damaged file is named."""

import os
from pathlib import Path

import numpy as np
import pytest

from trainables.data.errors import DataError
from trainables.data.recordings.ecg_id import list_ecg_id
from trainables.data.recordings.sources import EcgIdSource

SHARED = Path(os.environ.get("ORCH_REAL_DATA", Path(__file__).parents[5] / "shared" / "data")) / "ecg-id"
HEADER = """rec_{n} 2 500 {samples}
rec_{n}.dat 16 200 12 0 -17 17532 0 ECG I
rec_{n}.dat 16 100 12 20 -23 2004 0 ECG I filtered

# Age: 25
# Sex: male
# ECG date: {date}
"""


def write_record(root, person, number, *, samples=1500, date="07.12.2004"):
    folder = root / f"Person_{person:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng([person, number]).integers(-500, 500, (samples, 2)).astype("<i2")
    values.tofile(folder / f"rec_{number}.dat")
    (folder / f"rec_{number}.hea").write_text(HEADER.format(n=number, samples=samples, date=date))
    return values


def entries(root, **fields):
    return list_ecg_id(EcgIdSource(source="ecg_id", root=str(root), **fields))


def test_records_in_order_with_people_days_and_millivolts(tmp_path):
    values = write_record(tmp_path, 1, 2)
    write_record(tmp_path, 1, 10, date="08.12.2004")
    write_record(tmp_path, 2, 1)
    found = entries(tmp_path)
    assert [entry.person for entry in found] == ["Person_01", "Person_01", "Person_02"]
    records = [entry.read() for entry in found]
    assert [record.day for record in records] == ["07.12.2004", "08.12.2004", "07.12.2004"]
    assert records[0].rate_hz == 500
    np.testing.assert_allclose(records[0].signal_CT, [(values[:, 1] - 20) / 100, values[:, 0] / 200])


@pytest.mark.parametrize(("channels", "picked"), [("filtered", 0), ("raw", 1)])
def test_one_channel(tmp_path, channels, picked):
    write_record(tmp_path, 1, 1)
    both, one = entries(tmp_path)[0].read(), entries(tmp_path, channels=channels)[0].read()
    np.testing.assert_array_equal(one.signal_CT, both.signal_CT[[picked]])


def test_a_truncated_file_says_where_it_ends(tmp_path):
    write_record(tmp_path, 1, 1)
    path = tmp_path / "Person_01" / "rec_1.dat"
    path.write_bytes(path.read_bytes()[:4001])
    with pytest.raises(DataError, match=r"rec_1\.dat: 4001 bytes, which end within sample 1000; expected 6000 bytes"):
        entries(tmp_path)[0].read()


def test_a_missing_file_is_named(tmp_path):
    write_record(tmp_path, 1, 1)
    (tmp_path / "Person_01" / "rec_1.dat").unlink()
    with pytest.raises(DataError, match=r"rec_1\.dat: cannot be read"):
        entries(tmp_path)[0].read()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("rec_1 2 500 1500", "", r"rec_1\.hea:1: '' is no record line"),
        ("rec_1 2 500", "rec_1 1 500", r"hea:1: .* is no record line of 2 signals"),
        ("rec_1.dat 16 100", "rec_1.dat 212 100", r"hea:3: no signal line of format 16"),
        ("rec_1.dat 16 200", "rec_1.dat 16 0", r"hea:2: no signal line"),
        ("ECG date", "date", r"hea: no date"),
        ("Sex", "Sex \xff", r"hea: cannot be read"),
    ],
)
def test_a_damaged_header_is_named_with_its_line(tmp_path, old, new, what):
    write_record(tmp_path, 1, 1)
    path = tmp_path / "Person_01" / "rec_1.hea"
    path.write_bytes(path.read_text().replace(old, new, 1).encode("latin-1"))
    with pytest.raises(DataError, match=what):
        entries(tmp_path)[0].read()


def test_a_folder_without_records(tmp_path):
    with pytest.raises(DataError, match="no records; expected folders Person_01"):
        entries(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"ECG-ID is not at {SHARED}")
def test_the_real_set_is_read_whole():
    found = entries(SHARED)
    assert len(found) == 310
    assert len({entry.person for entry in found}) == 90
    record = found[0].read()
    assert record.signal_CT.shape == (2, 10_000)
    assert record.day == "07.12.2004"
    assert np.abs(record.signal_CT[0]).max() < 5
