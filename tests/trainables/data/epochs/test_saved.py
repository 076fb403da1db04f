"""Saved epochs: both formats, names, and faults that name the file and the row."""

import numpy as np
import pytest
import safetensors.numpy

from trainables.data.epochs.saved import epoch_files, read_epochs
from trainables.data.errors import DataError

Z = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
LABELS = np.array([0, 0, 1, 1, 2, 2])


def save(folder, name="epoch_000.npz", **changes):
    arrays = {"embeddings": Z, "labels": LABELS} | changes
    arrays = {key: value for key, value in arrays.items() if value is not None}
    path = folder / name
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        safetensors.numpy.save_file(arrays, path)
    return path


def fault(folder):
    with pytest.raises(DataError) as caught:
        list(read_epochs(folder))
    return str(caught.value)


def test_epochs_are_read_in_their_order_from_either_format(tmp_path):
    save(tmp_path, "epoch_010.safetensors", records=np.array([0, 1, 0, 1, 2, 3]))
    save(tmp_path, "epoch_2.npz", records=np.array([0, 1, 0, 1, 2, 3]))
    (tmp_path / "notes.txt").write_text("not an epoch")
    second, tenth = read_epochs(tmp_path)

    assert (second.epoch, tenth.epoch) == (2, 10)
    assert second.z_ND.numpy() == pytest.approx(Z)
    assert second.labels_N.tolist() == LABELS.tolist()
    assert tenth.records_N.tolist() == [0, 1, 0, 1, 2, 3]
    assert list(epoch_files(tmp_path)) == [2, 10]


def test_names_are_labels_too_and_without_records_each_item_is_its_own(tmp_path):
    save(tmp_path, labels=np.array(["b", "b", "a", "a", "c", "c"]))
    (saved,) = read_epochs(tmp_path)

    assert saved.labels_N.tolist() == [1, 1, 0, 0, 2, 2]
    assert saved.records_N.tolist() == list(range(6))


def broken(row, value):
    z = Z.copy()
    z[row, 1] = value
    return z


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": None}, "labels is missing; expected embeddings .items, size., labels"),
        ({"embeddings": None}, "embeddings is missing"),
        ({"embeddings": Z[0]}, "embeddings: the shape is (4,); expected (items, size)"),
        ({"embeddings": Z[:0]}, "embeddings: the shape is (0, 4)"),
        ({"embeddings": Z.astype(str)}, "embeddings: the numbers are <U"),
        ({"embeddings": broken(3, np.nan)}, "embeddings: row 3 (1 in all) holds NaN or infinite numbers"),
        ({"embeddings": broken(5, np.inf)}, "embeddings: row 5 (1 in all)"),
        ({"labels": LABELS[:5]}, "labels: the shape is (5,); expected (6,), one for each embedding"),
        ({"labels": LABELS.astype(float)}, "labels: the values are float64; expected integers or strings"),
        ({"records": LABELS[:5]}, "records: the shape is (5,)"),
        ({"labels": np.zeros(6, int)}, "labels: all 6 items are of one class"),
        ({"labels": np.arange(6)}, "labels: no class has two items of different records"),
        ({"records": LABELS}, "labels: no class has two items of different records"),
    ],
)
def test_a_fault_names_the_file_and_the_row(tmp_path, changes, message):
    path = save(tmp_path, **changes)
    text = fault(tmp_path)

    assert text.startswith(f"{path}: ")
    assert message.replace(" .items, size.", " (items, size)") in text


def test_all_epochs_hold_the_same_items(tmp_path):
    save(tmp_path)
    other = save(tmp_path, "epoch_001.npz", embeddings=Z[:, :3])
    assert fault(tmp_path) == f"{other}: embeddings are (6, 3), but (6, 4) in epoch_000.npz"
    save(tmp_path, "epoch_001.npz", labels=np.array([0, 0, 1, 2, 2, 2]))
    assert fault(tmp_path) == f"{other}: labels: row 3 is 2, but 1 in epoch_000.npz"
    save(tmp_path, "epoch_001.npz", records=np.arange(6))
    assert "records are in one of this file and epoch_000.npz, but not in the other" in fault(tmp_path)


def test_no_epochs_two_files_of_one_and_torn_files(tmp_path):
    assert fault(tmp_path) == f"{tmp_path}: no epochs; expected files such as epoch_003.npz or epoch_003.safetensors"
    path = save(tmp_path, "epoch_003.npz")
    save(tmp_path, "epoch-3.npz")
    assert "epoch 3 has two files, epoch-3.npz and epoch_003.npz" in fault(tmp_path)
    (tmp_path / "epoch-3.npz").unlink()
    path.write_bytes(path.read_bytes()[:40])
    assert fault(tmp_path).startswith(f"{path}: cannot be read")
    path.unlink()
    (tmp_path / "epoch_001.safetensors").write_bytes(b"torn")
    assert "epoch_001.safetensors: cannot be read" in fault(tmp_path)


def test_pickles_are_not_opened(tmp_path):
    save(tmp_path, labels=np.array([{"a": 1}] * 6, dtype=object))
    assert "cannot be read" in fault(tmp_path)
