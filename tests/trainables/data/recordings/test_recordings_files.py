"""The user's own recordings: what may be there, and what is named when it is not."""

import numpy as np
import pytest

from trainables.data.errors import DataError
from trainables.data.recordings.files import list_files
from trainables.data.recordings.sources import FilesSource

INDEX = "person,record,date\nanna,a1,monday\nanna,a2,tuesday\nbert,b1,monday\n"
SIGNALS = {name: np.arange(20.0) + place for place, name in enumerate(("a1", "a2", "b1"))}


def write(root, *, index=INDEX, signals=SIGNALS, archive=True):
    (root / "index.csv").write_text(index)
    if archive:
        np.savez(root / "signals.npz", **signals)
    else:
        for name, signal in signals.items():
            np.save(root / f"{name}.npy", signal)


def read(root):
    return [entry.read() for entry in list_files(FilesSource(source="files", root=str(root), rate_hz=250))]


@pytest.mark.parametrize("archive", [True, False])
def test_records_with_people_and_days(tmp_path, archive):
    write(tmp_path, archive=archive)
    records = read(tmp_path)
    assert [(record.person, record.day) for record in records] == [
        ("anna", "monday"),
        ("anna", "tuesday"),
        ("bert", "monday"),
    ]
    np.testing.assert_array_equal(records[2].signal_CT, SIGNALS["b1"][None])
    assert records[0].rate_hz == 250


def test_several_channels_and_whole_numbers(tmp_path):
    write(tmp_path, signals={name: np.ones((2, 9), dtype=np.int16) for name in SIGNALS})
    assert read(tmp_path)[0].signal_CT.shape == (2, 9)


@pytest.mark.parametrize(
    ("index", "what"),
    [
        ("person,record\nanna,a1\n", r"index\.csv:1: no column date; found person, record"),
        ("person,record,date\nanna,a1,\n", r"index\.csv:2: date is blank"),
        ("person,record,date\nanna,a1\n", r"index\.csv:2: date is blank"),
        ("person,record,date\nanna,a1,x\nbert,a1,x\n", r"index\.csv:3: record 'a1' is in line 2 too"),
        ("person,record,date\n", r"index\.csv: no records"),
        ("", r"index\.csv:1: no column person, record, date"),
    ],
)
def test_a_damaged_index_is_named_with_its_line(tmp_path, index, what):
    write(tmp_path, index=index)
    with pytest.raises(DataError, match=what):
        read(tmp_path)


def test_no_index(tmp_path):
    with pytest.raises(DataError, match=r"index\.csv: cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("signal", "what"),
    [
        (np.ones((2, 3, 4)), r"record 'a1' is \(2, 3, 4\); expected"),
        (np.array(["x", "y"]), "record 'a1' is"),
        (np.ones(4, dtype=complex), "is complex"),
    ],
)
def test_a_signal_of_another_kind(tmp_path, signal, what):
    write(tmp_path, signals={**SIGNALS, "a1": signal})
    with pytest.raises(DataError, match=what):
        read(tmp_path)


def test_a_missing_and_a_damaged_signal(tmp_path):
    write(tmp_path, archive=False)
    (tmp_path / "a2.npy").unlink()
    with pytest.raises(DataError, match=r"a2\.npy: record 'a2' cannot be read"):
        read(tmp_path)
    write(tmp_path)
    (tmp_path / "signals.npz").write_bytes(b"PK broken")
    with pytest.raises(DataError, match=r"signals\.npz: record 'a1' cannot be read"):
        read(tmp_path)
