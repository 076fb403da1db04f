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


def test_val_has_other_drawers_and_test_other_characters(root):
    train, val = read_characters(source(root), Split.VAL)
    other_train, other_val = read_characters(source(root), Split.TEST)
    assert train.pixels.shape == (9, 1, 28, 28) and val.pixels.shape == (3, 1, 28, 28)
    assert set(train.labels) == set(val.labels) and set(other_train.labels) == set(other_val.labels)
    assert not set(train.labels) & set(other_train.labels)


def test_the_choice_of_characters_follows_the_seed(root):
    chosen = [set(read_characters(source(root, seed=seed), Split.VAL)[0].labels) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_too_few_characters_or_drawers_are_refused(root):
    with pytest.raises(DataError, match="8 characters; expected 10"):
        read_characters(source(root, num_classes=5), Split.VAL)
    with pytest.raises(DataError, match="no pictures on one side of drawer 4"):
        read_characters(source(root, train_drawers=4), Split.VAL)
