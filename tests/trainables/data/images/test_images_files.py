"""Files in the layout of CIFAR-100, sound and damaged, and a pickle that would run code."""

import os
import pickle

import numpy as np
import pytest

from trainables.contract import Purpose
from trainables.data.errors import DataError
from trainables.data.images.files import read_image_files, split_for_val
from trainables.data.images.load import load_images
from trainables.data.images.sources import ImageFiles

LABELS = [0, 0, 0, 7, 7, 7, 7, 3, 3, 3]
SEARCH, TEST = Purpose.SEARCH, Purpose.TEST


def source(root, **fields):
    return ImageFiles(source="files", root=str(root), **fields)


def content(num=10):
    data = np.random.default_rng(0).integers(0, 256, (num, 3072), dtype=np.uint8)
    return {b"data": data, b"fine_labels": LABELS[:num], b"coarse_labels": [label % 2 for label in LABELS[:num]]}


def pickled(root, name="train", value=None):
    (root / name).write_bytes(pickle.dumps(content() if value is None else value))
    return root


def zipped(root, name="train", **arrays):
    np.savez(root / f"{name}.npz", **({"data": np.zeros((10, 3072), np.uint8), "fine_labels": LABELS} | arrays))
    return root


def test_reads_the_python_files_of_cifar_100(tmp_path):
    raw = read_image_files(source(pickled(tmp_path)), "train")
    assert raw.pixels.shape == (10, 3, 32, 32) and raw.pixels.dtype == np.float32
    # Rows are red, green and blue planes, each from the top left.
    assert raw.pixels[1, 2, 0, 5] == pytest.approx(content()[b"data"][1, 2 * 1024 + 5] / 255)
    assert raw.labels == [str(label) for label in LABELS]
    assert set(read_image_files(source(tmp_path, labels="coarse_labels"), "train").labels) == {"0", "1"}


@pytest.mark.parametrize(
    ("shape", "expected"), [((10, 6, 8), (1, 6, 8)), ((10, 6, 8, 3), (3, 6, 8)), ((10, 3072), (3, 32, 32))]
)
def test_reads_npz(tmp_path, shape, expected):
    raw = read_image_files(source(zipped(tmp_path, data=np.full(shape, 255, np.uint8))), "train")
    assert raw.pixels.shape == (10, *expected) and raw.pixels.min() == 1


def test_val_is_a_share_of_each_class_and_test_its_own_file(tmp_path):
    zipped(tmp_path)
    zipped(tmp_path, "test", data=np.full((10, 3072), 255, np.uint8))
    data, confirmation = (load_images(source(tmp_path, val_fraction=0.3), purpose) for purpose in (SEARCH, TEST))
    assert data.train.labels_N.bincount().tolist() == [2, 3, 2] and data.val.labels_N.bincount().tolist() == [1, 1, 1]
    assert data.classes == ("0", "7", "3")
    assert len(confirmation.val) == 10 and confirmation.val.pixels_NCHW.min() == 1


class Attack:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_a_pickle_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"posix\.mkdir, which is no part of an array"):
        read_image_files(source(pickled(tmp_path, value={b"data": Attack()})), "train")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root, "neither train.npz nor train is there"),
        (lambda root: pickled(root, value=[1]), "holds a list"),
        (lambda root: pickled(root, value={b"data": 1}), "no 'fine_labels', only"),
        (lambda root: pickled(root, value=content() | {b"data": [1]}), "'data' is list"),
        (lambda root: pickled(root, value=content() | {b"fine_labels": LABELS[:-1]}), "10 pictures, but 9 labels"),
        (lambda root: pickled(root, value=content() | {b"fine_labels": [0, -1]}), "row 1 is -1"),
        (lambda root: pickled(root, value=content() | {b"fine_labels": "0"}), "is a str"),
        (lambda root: zipped(root, data=np.zeros((10, 3072))), r"'data' is float64 \(10, 3072\)"),
        (lambda root: zipped(root, data=np.zeros((10, 99), np.uint8)), r"shape \(10, 99\)"),
        (lambda root: zipped(root, data=np.zeros((0, 3072), np.uint8)), "expected 'data'"),
    ],
)
def test_what_is_not_as_described_is_named(tmp_path, make, message):
    with pytest.raises(DataError, match=message):
        read_image_files(source(make(tmp_path)), "train")


@pytest.mark.parametrize("name", ["train", "train.npz"])
def test_damaged_files_are_named(tmp_path, name):
    (zipped if name.endswith("npz") else pickled)(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        read_image_files(source(tmp_path), "train")


def test_a_class_of_one_picture_is_named(tmp_path):
    raw = read_image_files(source(pickled(tmp_path, value=content(4))), "train")
    with pytest.raises(DataError, match="class '7' has 1 picture; expected 2 or more"):
        split_for_val(raw, fraction=0.1, seed=0)
