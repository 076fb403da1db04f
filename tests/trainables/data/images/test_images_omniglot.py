"""Omniglot as classes, from made-up zip files."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from trainables.data.errors import DataError, Split
from trainables.data.images.omniglot import read_characters
from trainables.data.images.sources import OmniglotCharacters
from trainables.data.pairs.omniglot import ALPHABETS, read_pictures


def png(place):
    ink = np.full((105, 105), 255, dtype=np.uint8)
    ink[place, 20:90] = 0
    stream = io.BytesIO()
    Image.fromarray(ink).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture
def root(tmp_path):
    """One character of four people for each of the eight alphabets."""
    for half in ("small1", "small2"):
        with zipfile.ZipFile(tmp_path / f"images_background_{half}.zip", "w") as archive:
            for alphabet in {name for parts in ALPHABETS.values() for h, name in parts if h == half}:
                for person in range(1, 5):
                    archive.writestr(f"x/{alphabet}/character01/0001_{person:02}.png", png(10 * person))
    return tmp_path


def source(root, **fields):
    return OmniglotCharacters(source="omniglot", root=str(root), **({"num_classes": 3, "train_drawers": 3} | fields))


def test_pictures_know_their_character_and_drawer(root):
    pictures = read_pictures(root, half="small1", alphabet="Greek", size=28)
    assert [(p.character, p.drawer) for p in pictures] == [("Greek 0001", i) for i in (1, 2, 3, 4)]
    assert all(p.grey.shape == (28, 28) and 0 < p.grey.max() <= 1 for p in pictures)


def test_train_val_and_test_have_different_drawers_of_the_same_characters(root):
    kept = source(root, train_drawers=2, test_drawers=1)
    train, val = read_characters(kept, Split.VAL)
    again, test = read_characters(kept, Split.TEST)
    assert train.pixels.shape == (6, 1, 28, 28) and val.pixels.shape == test.pixels.shape == (3, 1, 28, 28)
    assert train.labels == again.labels and val.labels == test.labels and set(val.labels) == set(train.labels)
    assert not {picture.tobytes() for picture in val.pixels} & {picture.tobytes() for picture in test.pixels}


def test_there_is_no_test_when_nobody_is_kept_for_it(root):
    with pytest.raises(DataError, match="test_drawers is 0: every picture is in train or val"):
        read_characters(source(root), Split.TEST)
    with pytest.raises(ValueError, match="leave nobody of 20 for val"):
        source(root, train_drawers=15, test_drawers=5)


def test_the_choice_of_characters_follows_the_seed(root):
    chosen = [set(read_characters(source(root, seed=seed), Split.VAL)[0].labels) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_too_few_characters_or_drawers_are_refused(root):
    with pytest.raises(DataError, match="8 characters; expected 10"):
        read_characters(source(root, num_classes=10), Split.VAL)
    with pytest.raises(DataError, match="no pictures on one side of drawer 4"):
        read_characters(source(root, train_drawers=4), Split.VAL)
