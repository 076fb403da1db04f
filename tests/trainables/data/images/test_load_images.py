"""Each source as a whole: what is in which split."""

from pathlib import Path

import pytest
import torch

from trainables.contract import Purpose
from trainables.data.errors import DataError
from trainables.data.images.images import RawImages, to_images
from trainables.data.images.load import load_images
from trainables.data.images.sources import DigitsSource, OmniglotCharacters

ROOT = Path(__file__).parents[5] / "shared" / "data" / "omniglot"


def rows(images):
    return {tuple(row.tolist()) for row in images.pixels_NCHW.flatten(1)}


def test_digits_are_split_by_class_without_overlap():
    data, confirmation = load_images(DigitsSource()), load_images(DigitsSource(), Purpose.TEST)
    assert data.train.pixels_NCHW.shape[1:] == (1, 8, 8)
    assert (len(data.train), len(data.val), len(confirmation.val)) == (1078, 359, 360)
    assert not rows(data.train) & rows(data.val) and not rows(data.val) & rows(confirmation.val)
    assert torch.equal(data.train.pixels_NCHW, confirmation.train.pixels_NCHW)
    assert data.train.pixels_NCHW.min() == 0 and data.train.pixels_NCHW.max() == 1
    assert data.train.labels_N.bincount().min() > 100 and data.val.labels_N.bincount().min() > 30


def test_the_split_of_digits_follows_the_seed():
    first, again, other = (load_images(DigitsSource(seed=seed), Purpose.TEST) for seed in (1, 1, 2))
    assert torch.equal(first.val.pixels_NCHW, again.val.pixels_NCHW)
    assert rows(first.val) != rows(other.val)


@pytest.mark.skipif(not ROOT.is_dir(), reason="the Omniglot zip files are not in ../shared/data/omniglot")
def test_real_omniglot_has_15_drawers_to_learn_from_and_5_to_be_judged_on():
    source = OmniglotCharacters(source="omniglot", root=str(ROOT), size=24)
    data = load_images(source)
    assert data.train.labels_N.bincount().tolist() == [15] * 100
    assert data.val.labels_N.bincount().tolist() == [5] * 100
    source = source.model_copy(update={"test_drawers": 2})
    data, confirmation = load_images(source), load_images(source, Purpose.TEST)
    assert data.classes == confirmation.classes
    assert data.val.labels_N.bincount().tolist() == [3] * 100
    assert confirmation.val.labels_N.bincount().tolist() == [2] * 100
    assert not rows(data.val) & rows(confirmation.val)


def test_who_retrains_learns_from_val_too():
    data, again = load_images(DigitsSource()), load_images(DigitsSource(), Purpose.RETRAIN)
    assert torch.equal(again.train.pixels_NCHW, torch.cat([data.train.pixels_NCHW, data.val.pixels_NCHW]))
    assert torch.equal(again.train.labels_N, torch.cat([data.train.labels_N, data.val.labels_N]))
    assert again.classes == data.classes


def raw(labels, shape=(1, 4, 4)):
    return RawImages(pixels=torch.rand(len(labels), *shape).numpy(), labels=labels, where="a/file")


def test_classes_are_numbered_by_their_first_training_picture():
    data = to_images(raw(["b", "a", "b"]), raw(["a", "b"]))
    assert data.classes == ("b", "a")
    assert data.train.labels_N.tolist() == [0, 1, 0] and data.val.labels_N.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        (raw(["a", "b"]), raw(["a"]), "class 'b' has 1 pictures in a/file and 0 in a/file"),
        (raw(["a"]), raw(["a", "z"]), "class 'z' has 0 pictures"),
        (raw(["a"]), raw(["a"]), "1 class; expected 2"),
        (raw(["a", "b"]), raw(["a", "b"], (3, 4, 4)), r"pictures are \(3, 4, 4\)"),
    ],
)
def test_splits_that_do_not_fit_are_refused(train, val, message):
    with pytest.raises(DataError, match=message):
        to_images(train, val)
