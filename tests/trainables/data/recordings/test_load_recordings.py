"""From a source to windows: splits, exclusions that are counted, and the test split only on request."""

import numpy as np
import pytest
import torch

from trainables.contract import Purpose
from trainables.data.errors import DataError, Split
from trainables.data.recordings import load
from trainables.data.recordings.load import load_recordings, load_test_recordings
from trainables.data.recordings.simulated import RATE_HZ, list_simulated
from trainables.data.recordings.sources import FilesSource, SimulatedSource, Windows

WINDOWS = Windows(before_ms=200, after_ms=300)


@pytest.fixture
def folder(tmp_path):
    """Six people with two records each, as files."""
    records = [
        entry.read() for entry in list_simulated(SimulatedSource(num_train=6, days=1, duration_s=6), Split.TRAIN)
    ]
    lines = [f"{record.person},r{place},{record.day}" for place, record in enumerate(records)]
    (tmp_path / "index.csv").write_text("\n".join(["person,record,date", *lines]))
    for place, record in enumerate(records):
        np.save(tmp_path / f"r{place}.npy", record.signal_CT)
    return tmp_path


def source(folder, **fields):
    return FilesSource(source="files", root=str(folder), rate_hz=RATE_HZ, num_val_people=2, **fields)


def test_people_are_numbered_and_windows_counted(folder):
    data = load_recordings(source(folder), WINDOWS)
    assert (len(data.train), len(data.val)) == (8, 4)
    assert sorted(set(data.train.person_R.tolist())) == [0, 1, 2, 3]
    assert data.train.windows_NCL.shape[1:] == (1, 125)
    assert data.train.begin_R1[-1] == len(data.train.windows_NCL)
    assert data.train.num_excluded == 0


def test_a_useless_record_is_an_error_or_counted(folder):
    np.save(folder / "r0.npy", np.zeros(1000))
    np.save(folder / "r11.npy", np.full(1000, np.nan))
    with pytest.raises(DataError, match=r"r(0|11)\.npy: "):
        load_recordings(source(folder), WINDOWS)
    data = load_recordings(source(folder, bad_records="exclude"), WINDOWS)
    assert data.train.num_excluded + data.val.num_excluded == 2
    assert len(data.train) + len(data.val) == 10


def test_a_split_with_nothing_left_is_an_error(folder):
    for path in folder.glob("*.npy"):
        np.save(path, np.zeros(1000))
    with pytest.raises(
        DataError, match=r"train has no records: 8 of 8 are excluded, the first one because .*throughout"
    ):
        load_recordings(source(folder, bad_records="exclude"), WINDOWS)


def test_records_with_unequal_channels_are_an_error(folder):
    one = np.load(folder / "r3.npy")
    np.save(folder / "r3.npy", np.concatenate([one, one + 1]))
    with pytest.raises(DataError, match="channels"):
        load_recordings(source(folder), WINDOWS)


def test_trials_of_one_process_read_once_and_test_never(monkeypatch):
    seen = []
    listed = load.list_simulated
    monkeypatch.setattr(load, "list_simulated", lambda source, split: seen.append(split.value) or listed(source, split))
    simulated = SimulatedSource(num_train=2, num_val=2, num_test=3, duration_s=6, seed=77)
    assert load_recordings(simulated, WINDOWS) is load_recordings(simulated.model_copy(), WINDOWS)
    assert seen == ["train", "val"]
    assert len(load_test_recordings(simulated, WINDOWS)) == 12
    assert seen == ["train", "val", "test"]


def test_no_test_people_is_an_error(folder):
    with pytest.raises(DataError, match=r"test has no records: data\.num_test_people says"):
        load_test_recordings(source(folder), WINDOWS)


def test_a_test_has_train_and_other_people_and_who_retrains_learns_from_the_people_of_val_too():
    simulated = SimulatedSource(num_train=2, num_val=2, num_test=3, duration_s=6, seed=77)
    data, test, both = (load_recordings(simulated, WINDOWS, purpose) for purpose in Purpose)
    assert test.train is data.train
    assert test.val.names == load_test_recordings(simulated, WINDOWS).names
    assert not set(test.val.names) & set(data.val.names)
    assert both.train.names == data.train.names + data.val.names and both.val.names == data.val.names
    assert len(set(both.train.person_R.tolist())) == 4
    assert torch.equal(both.train.windows_NCL, torch.cat([data.train.windows_NCL, data.val.windows_NCL]))
