"""The user's own files: what works, and the message for each way in which it does not."""

import json

import numpy as np
import pytest

from trainables.data.errors import DataError, Split
from trainables.data.pairs.files import read_files
from trainables.data.pairs.load import load_pairs, load_test_pairs
from trainables.data.pairs.sources import FilesSource

SPLITS = ["train"] * 4 + ["val"] * 3 + ["test"] * 2
TEXTS = [f"item {i} of nine" for i in range(9)]


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "videos.npy", rng.random((9, 2, 16, 16), dtype=np.float32))
    lines = [json.dumps({"split": split, "text": text}) for split, text in zip(SPLITS, TEXTS, strict=True)]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines) + "\n")
    return FilesSource(source="files", root=str(tmp_path))


def test_reads_each_split(source):
    assert list(read_files(source, Split.VAL).texts) == TEXTS[4:7]
    data = load_pairs(source)
    assert (len(data.train), len(data.val), len(load_test_pairs(source))) == (4, 3, 2)


def test_equal_texts_are_one_group(source, tmp_path):
    lines = [json.dumps({"split": split, "text": "same" if i in (0, 2) else f"t{i}"}) for i, split in enumerate(SPLITS)]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    groups = load_pairs(source.model_copy(update={"segments": ("x",)})).train.groups_N.tolist()
    assert groups == [0, 1, 0, 2]


def test_tabbed_texts_compressed_arrays_and_bytes(source, tmp_path):
    videos = (np.load(tmp_path / "videos.npy") * 255).astype(np.uint8)
    (tmp_path / "videos.npy").unlink()
    np.savez(tmp_path / "videos.npz", videos=videos)
    (tmp_path / "texts.jsonl").unlink()
    (tmp_path / "texts.txt").write_text("\n".join(f"{s}\t{t}" for s, t in zip(SPLITS, TEXTS, strict=True)))
    raw = read_files(source, Split.TRAIN)
    assert raw.videos.dtype == np.float32 and raw.videos.max() <= 1
    assert list(raw.texts) == TEXTS[:4]


def one_with(value):
    """Nine videos; one pixel of the third has the value."""
    videos = np.random.default_rng(0).random((9, 2, 16, 16), dtype=np.float32)
    videos[2, 1, 3, 3] = value
    return videos


def _save(array):
    return lambda root: np.save(root / "videos.npy", array)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: (root / "videos.npy").unlink(), r"no videos; expected videos\.npy"),
        (lambda root: (root / "videos.npy").write_bytes(b"junk"), r"videos\.npy: cannot be read"),
        (lambda root: (root / "videos.npy").write_bytes(b""), r"videos\.npy: cannot be read"),
        (_save(np.zeros((9, 16, 16), np.float32)), r"shape is \(9, 16, 16\); expected"),
        (_save(np.array([{"a": 1}], dtype=object)), r"videos\.npy: cannot be read"),
        (_save(np.zeros((8, 2, 16, 16), np.float32)), "8 videos, but 9 texts"),
        (
            _save(np.full((9, 2, 16, 16), 2.0, np.float32)),
            r"videos\.npy: video 0 goes from 2 to 2; expected floats in \[0",
        ),
        (_save(one_with(np.nan)), r"videos\.npy: video 2 goes from nan to nan"),
        (_save(one_with(np.inf)), r"videos\.npy: video 2 goes from 0\S* to inf"),
        (_save(one_with(-1)), r"videos\.npy: video 2 goes from -1 to"),
        (_save(np.full((9, 2, 16, 16), 7, np.uint8)), r"videos\.npy: video 0 has the same grey, 0\.027"),
        (_save(np.zeros((9, 2, 16, 16), np.int64)), "int64; expected uint8"),
        (lambda root: (root / "texts.jsonl").unlink(), r"no texts; expected texts\.jsonl or texts\.txt"),
        (lambda root: (root / "texts.jsonl").write_bytes(b"\xff\xfe"), r"texts\.jsonl: cannot be read"),
        (lambda root: (root / "texts.jsonl").write_text("{\n"), r"texts\.jsonl:1: not JSON"),
        (lambda root: (root / "texts.jsonl").write_text("{}\n"), r"texts\.jsonl:1: no text"),
        (
            lambda root: (root / "texts.jsonl").write_text('{"text": "a", "split": "dev"}\n'),
            r"texts\.jsonl:1: the split is 'dev'; expected train, val or test",
        ),
        (
            lambda root: (root / "texts.jsonl").write_text('{"text": " ", "split": "val"}\n'),
            r"texts\.jsonl:1: the text is empty",
        ),
    ],
)
def test_faults_name_the_file_and_what_is_expected(source, tmp_path, damage, message):
    damage(tmp_path)
    with pytest.raises(DataError, match=message):
        read_files(source, Split.TRAIN)


def test_a_fault_is_found_by_its_place_in_the_file(source, tmp_path):
    np.save(tmp_path / "videos.npy", one_with(np.nan)[::-1])
    read_files(source, Split.TRAIN)
    with pytest.raises(DataError, match="video 6 goes from nan"):
        read_files(source, Split.VAL)


@pytest.mark.parametrize("at", range(200, 2200, 400))
def test_a_compressed_file_damaged_anywhere_is_named(source, tmp_path, at):
    np.savez_compressed(tmp_path / "videos.npz", videos=np.load(tmp_path / "videos.npy"))
    (tmp_path / "videos.npy").unlink()
    content = bytearray((tmp_path / "videos.npz").read_bytes())
    content[at : at + 8] = b"\0" * 8
    (tmp_path / "videos.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"videos\.npz: cannot be read"):
        read_files(source, Split.TRAIN)


def test_a_split_without_items(source, tmp_path):
    lines = [json.dumps({"split": "train", "text": text}) for text in TEXTS]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    with pytest.raises(DataError, match="0 items are marked 'val'"):
        read_files(source, Split.VAL)
