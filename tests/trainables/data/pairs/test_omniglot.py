"""Omniglot: real files where they are, made-up zip files where not."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.data.errors import DataError, Split
from trainables.data.pairs.load import load_pairs
from trainables.data.pairs.omniglot import ALPHABETS, read_omniglot, spell
from trainables.data.pairs.sources import OmniglotSource

ROOT = Path(__file__).parents[5] / "shared" / "data" / "omniglot"
real = pytest.mark.skipif(not ROOT.is_dir(), reason="the Omniglot zip files are not in ../shared/data/omniglot")


def picture():
    ink = np.full((105, 105), 255, dtype=np.uint8)
    ink[50, 20:90] = 0
    stream = io.BytesIO()
    Image.fromarray(ink).save(stream, format="PNG")
    return stream.getvalue()


PICTURE = picture()
STROKES = b"START\n20.0,-50.0,0\n55.0,-50.0,10\n89.0,-50.0,20\nBREAK\n"


@pytest.fixture
def made_up(tmp_path):
    """Two characters of two people for each alphabet; returns a function that rewrites a kind of file."""

    def write(*, image=PICTURE, strokes=STROKES):
        for kind, suffix, content in (("images", "png", image), ("strokes", "txt", strokes)):
            for half in ("small1", "small2"):
                with zipfile.ZipFile(tmp_path / f"{kind}_background_{half}.zip", "w") as archive:
                    for alphabet in {name for parts in ALPHABETS.values() for h, name in parts if h == half}:
                        for character in ("01", "02"):
                            for person in ("01", "02"):
                                name = f"x/{alphabet}/character{character}/00{character}_{person}.{suffix}"
                                archive.writestr(name, content)
        return OmniglotSource(source="omniglot", root=str(tmp_path))

    return write


def test_splits_share_no_alphabet():
    names = [name for parts in ALPHABETS.values() for _, name in parts]
    assert len(names) == len(set(names))


def test_reads_drawings_and_classes(made_up):
    raw = read_omniglot(made_up(), Split.TRAIN)
    assert raw.videos.shape == (4 * 2 * 2, 1, 32, 32)
    assert raw.labels == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]
    # From the middle of the paper 4 steps to the left, at 16.5; then past 31.5, 43, 54.5, 66 and 77.5 to 89.
    assert set(raw.texts) == {"ubf phf pgf pgf phf pgf pgf"}


def test_fewer_drawers_give_fewer_items(made_up):
    source = made_up().model_copy(update={"drawers_per_class": 2})
    assert len(read_omniglot(source, Split.TEST).texts) == 4


def test_turned_drawings_are_characters_of_their_own_in_train_alone(made_up):
    source = made_up().model_copy(update={"turned_classes": True})
    plain, turned = read_omniglot(made_up(), Split.TRAIN), read_omniglot(source, Split.TRAIN)
    assert len(turned.texts) == 4 * len(plain.texts)
    assert len(set(turned.labels)) == 4 * len(set(plain.labels))
    # A line from left to right in the middle of the paper, after a quarter turn to the left from the bottom upwards.
    assert (turned.texts[0], turned.texts[16]) == (plain.texts[0], "ufj pfd pfe pfe pfd pfe pfe")
    # The windows of the reduction to 32 pixels are not symmetric.
    for quarters in range(4):
        expected = np.rot90(plain.videos[0, 0], quarters)
        assert np.allclose(turned.videos[16 * quarters, 0], expected, atol=0.1)
    assert len(read_omniglot(source, Split.VAL).texts) == len(read_omniglot(made_up(), Split.VAL).texts)


def test_frames_show_the_drawing_grow(made_up):
    source = made_up().model_copy(update={"num_frames": 4})
    videos = read_omniglot(source, Split.TEST).videos
    ink = videos.sum(axis=(0, 2, 3))
    assert (np.diff(ink) > 0).all()
    assert np.array_equal(videos[:, -1:], read_omniglot(made_up(), Split.TEST).videos)


def test_spelling_follows_the_pen():
    horizontal = np.array([[52.5, 52.5], [79.5, 52.5]], dtype=np.float32)
    vertical = np.array([[52.5, 52.5], [52.5, 79.5]], dtype=np.float32)
    words = spell([horizontal]).split()
    assert words[0] == "uff"
    assert all(word[0] == "p" and word[2] == "f" for word in words[1:])
    assert sum("abcdefghijk".index(word[1]) - 5 for word in words) == 3
    assert sum("abcdefghijk".index(word[2]) - 5 for word in spell([vertical]).split()) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"image": b"not a picture"}, "the picture is damaged"),
        ({"strokes": b"START\n1,2\nBREAK\n"}, "expected lines of x,y,time"),
        ({"strokes": b"START\nx,y,z\nBREAK\n"}, "the strokes are damaged"),
        ({"strokes": b"START\n"}, "no strokes"),
    ],
)
def test_damaged_members_are_named(made_up, fault, message):
    with pytest.raises(DataError, match=rf"Balinese 0001_01.*{message}"):
        read_omniglot(made_up(**fault), Split.TRAIN)


def test_a_missing_zip_is_named(tmp_path):
    with pytest.raises(DataError, match=r"images_background_small1\.zip: cannot be read.*expected the zip file"):
        read_omniglot(OmniglotSource(source="omniglot", root=str(tmp_path)), Split.TRAIN)


def test_a_corrupt_zip_is_named(made_up, tmp_path):
    source = made_up()
    path = tmp_path / "strokes_background_small1.zip"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"strokes_background_small1\.zip: cannot be read"):
        read_omniglot(source, Split.TRAIN)


def test_a_damaged_member_of_a_sound_looking_zip_is_named(made_up, tmp_path):
    source = made_up()
    path = tmp_path / "images_background_small1.zip"
    names = zipfile.ZipFile(path).namelist()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, PICTURE)
    content = bytearray(path.read_bytes())
    content[60:100] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"images_background_small1\.zip: cannot be read"):
        for split in (Split.TRAIN, Split.TEST):
            read_omniglot(source, split)


def test_a_member_with_an_odd_name_is_named(made_up, tmp_path):
    source = made_up()
    with zipfile.ZipFile(tmp_path / "images_background_small1.zip", "a") as archive:
        archive.writestr("x/Balinese/character01/copy.png", PICTURE)
    with pytest.raises(DataError, match=r"small1\.zip: Balinese/copy\.png: expected a name such as 0108_01"):
        read_omniglot(source, Split.TRAIN)


def test_a_zip_of_something_else_is_named(made_up, tmp_path):
    source = made_up()
    with zipfile.ZipFile(tmp_path / "images_background_small1.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError, match=r"no \.png files of the alphabet Balinese"):
        read_omniglot(source, Split.TRAIN)


@real
def test_the_real_files():
    data = load_pairs(OmniglotSource(source="omniglot", root=str(ROOT)))
    assert data.train.labels_N is not None and data.val.labels_N is not None
    assert (len(data.train), len(data.val)) == (1920, 2120)
    assert (len(data.train.labels_N.unique()), len(data.val.labels_N.unique())) == (96, 106)
    assert data.segments == ()
