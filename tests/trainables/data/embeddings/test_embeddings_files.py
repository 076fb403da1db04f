import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from trainables.data.embeddings.files import read_file, read_whole_file
from trainables.data.embeddings.load import load_embeddings, load_test_embeddings
from trainables.data.embeddings.sources import EmbeddingFile
from trainables.data.errors import DataError, Split


def arrays(**changes):
    """Twelve items: two classes in three splits, one target space."""
    rng = np.random.default_rng(0)
    whole = {
        "inputs": rng.normal(size=(12, 5)).astype(np.float32),
        "targets_clip": rng.normal(size=(12, 7)).astype(np.float32),
        "classes": np.array(["dog", "cat"] * 6),
        "split": np.array(["train"] * 6 + ["val"] * 4 + ["test"] * 2),
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def write(tmp_path, **changes):
    path = tmp_path / "embeddings.npz"
    np.savez(path, **arrays(**changes))
    return EmbeddingFile(source="files", path=str(path))


def changed(name, row, value):
    array = arrays()[name].copy()
    array[row] = value
    return {name: array}


def test_an_npz_file_with_named_classes(tmp_path):
    source = write(tmp_path)
    data = load_embeddings(source)
    assert data.class_names == ("cat", "dog")
    assert data.train.inputs_NSI.shape == (6, 1, 5)
    assert data.val.labels_N.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(data.train.targets["clip"][:, 0], arrays()["targets_clip"][:6])
    assert list(data.train.targets) == ["clip"]
    assert len(load_test_embeddings(source)) == 2


def test_a_safetensors_file_with_numbered_classes_and_splits(tmp_path):
    path = tmp_path / "embeddings.safetensors"
    numbers = {"classes": np.array([30, 10] * 6), "split": np.array([0] * 6 + [1] * 4 + [2] * 2, dtype=np.int8)}
    sequences = {"inputs": np.ones((12, 3, 5), np.float16), "targets_t5": np.ones((12, 2, 4), np.float64)}
    save_file(arrays(targets_clip=None, **numbers, **sequences), path)
    data = load_embeddings(EmbeddingFile(source="files", path=str(path)))
    assert data.class_names == ("10", "30")
    assert data.train.labels_N.tolist() == [1, 0] * 3
    assert data.train.targets["t5"].shape == (6, 2, 4)
    assert data.train.inputs_NSI.dtype is torch.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": None}, "inputs is missing; expected inputs, classes, split, .* found classes, split, targets_clip"),
        ({"split": None}, "split is missing"),
        ({"targets_clip": None}, "targets is missing"),
        ({"inputs": np.ones((12, 2, 2, 2), np.float32)}, r"inputs: the shape is \(12, 2, 2, 2\)"),
        ({"inputs": np.ones((12, 0), np.float32)}, r"inputs: the shape is \(12, 0\)"),
        ({"inputs": np.float32(3)}, r"classes: the shape is \(12,\); expected \(0,\)"),
        ({"targets_clip": np.ones((11, 7), np.float32)}, r"targets_clip: the shape is \(11, 7\); expected \(12, chan"),
        ({"inputs": np.ones((12, 5), np.int64)}, "inputs: the numbers are int64; expected floats"),
        (changed("inputs", 3, np.nan), r"inputs: row 3 \(1 in all\) holds NaN or infinite"),
        (changed("targets_clip", [7, 9], np.inf), r"targets_clip: row 7 \(2 in all\) holds NaN or infinite"),
        ({"inputs": np.full((12, 5), 1e300)}, r"inputs: row 0 \(12 in all\)"),
        ({"classes": np.ones(11, np.int64)}, r"classes: the shape is \(11,\); expected \(12,\)"),
        ({"classes": np.ones(12)}, "classes: the values are float64; expected integers or strings"),
        ({"classes": np.array([0, 1, 0, 1, -1, 0] * 2)}, r"classes: row 4 has no class \(.*-1.*\)"),
        ({"classes": np.array(["dog", "cat", ""] * 4)}, "classes: row 2 has no class"),
        (changed("classes", 2, "owl"), "classes: 'owl' has one item only, row 2; expected 2 or more"),
        ({"classes": np.array(["dog"] * 6 + ["cat"] * 6)}, "classes: 'cat' has no item in train; its first is row 6"),
        (
            {"split": np.array(["train"] * 11 + ["dev"])},
            "split: row 11 is 'dev'; expected train, val, test, or 0, 1, 2",
        ),
        ({"split": np.array([0] * 11 + [3])}, "split: row 11 is 3; expected"),
        ({"split": np.array(["train"] * 11 + ["val"])}, "split: 1 items are marked 'val'; expected 2 or more"),
    ],
)
def test_a_fault_is_named_with_the_file_the_array_and_the_row(tmp_path, changes, message):
    source = write(tmp_path, **changes)
    with pytest.raises(DataError, match=message) as caught:
        load_embeddings(source)
    assert source.path in str(caught.value)


@pytest.mark.parametrize("name", ["missing.npz", "missing.safetensors"])
def test_a_missing_file(tmp_path, name):
    with pytest.raises(DataError, match="cannot be read"):
        read_whole_file(EmbeddingFile(source="files", path=str(tmp_path / name)))


@pytest.mark.parametrize("name", ["broken.npz", "broken.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken off"])
def test_a_damaged_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_whole_file(EmbeddingFile(source="files", path=str(tmp_path / name)))


def test_pickled_objects_are_not_read(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, inputs=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        read_whole_file(EmbeddingFile(source="files", path=str(path)))


def test_another_kind_of_file(tmp_path):
    with pytest.raises(DataError, match=r"unknown kind of file '.csv'"):
        read_whole_file(EmbeddingFile(source="files", path=str(tmp_path / "embeddings.csv")))


def test_a_class_without_items_in_val_is_no_fault(tmp_path):
    source = write(tmp_path, classes=np.array(["dog", "cat", "owl"] * 2 + ["dog", "cat"] * 3))
    assert len(load_embeddings(source).class_names) == 3
    assert set(read_file(source, Split.VAL).labels_N.tolist()) == {0, 1}
