"""Omniglot: a handwritten character as a picture, and the pen strokes that made it as a text.

Reads the zip files of the original repository. The pictures are the original scans; with several frames the ink
appears in the order in which it was drawn. Splits have no alphabet in common; Greek and Latin, which are in both
halves of the data, are read from the first half only.

Source: Lake, Salakhutdinov and Tenenbaum 2015, "Human-level concept learning through probabilistic program induction".
"""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainables.data.errors import DataError, Split
from trainables.data.pairs.pairs import RawPairs
from trainables.data.pairs.sources import OmniglotSource

Strokes = list[NDArray[np.float32]]
"""Pen-down runs, each (points, 2): x to the right and y down, in pixels of the 105 x 105 picture."""

ALPHABETS: dict[Split, tuple[tuple[str, str], ...]] = {
    Split.TRAIN: (("small1", "Balinese"), ("small1", "Early_Aramaic"), ("small1", "Greek"), ("small1", "Latin")),
    Split.VAL: (("small2", "Japanese_(katakana)"), ("small2", "Sanskrit"), ("small2", "Tagalog")),
    Split.TEST: (("small1", "Korean"),),
}
"""Half of the data and alphabet. The 106 characters of val are those of the known raw-pixel figure, .34."""

_MEMBER = re.compile(r"\d+_\d\d")
_SIDE = 105
_STEP = 9.0
_LETTERS = "abcdefghijk"
_REACH = len(_LETTERS) // 2
_MAX_WORDS = 46


@dataclass(frozen=True, slots=True)
class Drawing:
    """One character by one person."""

    ink: NDArray[np.float32]
    strokes: Strokes
    character: str


def read_omniglot(source: OmniglotSource, split: Split) -> RawPairs:
    """The drawings of one split, in a fixed order.

    Raises: DataError: a zip file is missing, damaged, or lacks an alphabet.
    """
    drawings = [
        drawing
        for half, alphabet in ALPHABETS[split]
        for drawing in _read_alphabet(Path(source.root), half, alphabet)
        if int(drawing.character[-2:]) <= source.drawers_per_class
    ]
    if source.turned_classes and split is Split.TRAIN:
        drawings = [_turned(drawing, quarters=quarters) for quarters in range(4) for drawing in drawings]
    characters = {name: i for i, name in enumerate(dict.fromkeys(d.character[:-3] for d in drawings))}
    frames = np.stack([_frames(drawing, source.num_frames, source.size) for drawing in drawings])
    return RawPairs(
        videos=frames,
        texts=[spell(drawing.strokes) for drawing in drawings],
        labels=[characters[drawing.character[:-3]] for drawing in drawings],
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """One character by one person, without its strokes.

    Attributes:
        character: alphabet and number, such as `Greek 0394`; the same for all who drew it.
        drawer: 1 to 20.
        grey: float32 (size, size), ink is 1.
    """

    character: str
    drawer: int
    grey: NDArray[np.float32]


def read_pictures(root: Path, *, half: str, alphabet: str, size: int) -> list[Picture]:
    """The pictures of one alphabet, in a fixed order.

    Raises: DataError: the zip file is missing, damaged, or lacks the alphabet.
    """
    members = _read_members(root / f"images_background_{half}.zip", alphabet, ".png")
    return [
        Picture(
            character=f"{alphabet} {key[:-3]}",
            drawer=int(key[-2:]),
            grey=_shrink(_parse_image(content, f"{root}: {alphabet} {key}"), size),
        )
        for key, content in sorted(members.items())
    ]


def spell(strokes: Strokes) -> str:
    """Pen movements as words of three letters: p (pen on paper) or u (lifted), then the steps to the right and down.

    Strokes are walked in steps of 9 pixels; letters a to k mean -5 to 5 such steps, so f is no movement. The pen
    starts in the middle of the paper.
    """
    words: list[str] = []
    at = np.array([_SIDE / 2, _SIDE / 2], dtype=np.float32)
    for stroke in strokes:
        for number, target in enumerate(_resample(stroke)):
            steps = np.clip(np.rint((target - at) / _STEP), -_REACH, _REACH)
            # Follow what was written, not what was meant: rounding errors do not add up.
            at = at + steps.astype(np.float32) * _STEP
            if number == 0 or steps.any():
                x, y = (_LETTERS[int(step) + _REACH] for step in steps)
                words.append(("u" if number == 0 else "p") + x + y)
    return " ".join(words[:_MAX_WORDS])


def _resample(stroke: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points at even distances of about one and a half steps along the stroke, both ends kept."""
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(stroke, axis=0), axis=1))])
    num = 1 + int(np.ceil(walked[-1] / (1.5 * _STEP)))
    at = np.linspace(0.0, walked[-1], num)
    return np.stack([np.interp(at, walked, stroke[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _turned(drawing: Drawing, *, quarters: int) -> Drawing:
    """The drawing after some quarter turns to the left; a character of its own.

    Source: Santoro et al. 2016, arXiv:1605.06065, section 4.1.
    """
    strokes = drawing.strokes
    for _ in range(quarters):
        strokes = [np.stack([stroke[:, 1], _SIDE - stroke[:, 0]], axis=1) for stroke in strokes]
    return Drawing(
        ink=np.rot90(drawing.ink, quarters), strokes=strokes, character=f"{90 * quarters} {drawing.character}"
    )


def _frames(drawing: Drawing, num_frames: int, size: int) -> NDArray[np.float32]:
    """The picture at `num_frames` moments of its drawing, the last one complete; ink is 1."""
    if num_frames == 1:
        return _shrink(drawing.ink, size)[None]
    points = np.concatenate(drawing.strokes)
    rows, columns = np.nonzero(drawing.ink)
    distance = (rows[:, None] - points[:, 1]) ** 2 + (columns[:, None] - points[:, 0]) ** 2
    drawn_at = np.full(drawing.ink.shape, np.inf)
    drawn_at[rows, columns] = (distance.argmin(axis=1) + 1) / len(points)
    moments = [(frame + 1) / num_frames for frame in range(num_frames)]
    return np.stack([_shrink(drawing.ink * (drawn_at <= moment), size) for moment in moments])


def _shrink(ink: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    image = Image.fromarray(ink.astype(np.float32)).resize((size, size), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32)


def _read_alphabet(root: Path, half: str, alphabet: str) -> list[Drawing]:
    images = _read_members(root / f"images_background_{half}.zip", alphabet, ".png")
    strokes = _read_members(root / f"strokes_background_{half}.zip", alphabet, ".txt")
    if images.keys() != strokes.keys():
        odd = min(images.keys() ^ strokes.keys())
        raise DataError(f"{root}: {alphabet} {odd} is in only one of images and strokes of {half}; expected both")
    return [
        Drawing(
            ink=_parse_image(images[key], f"{root}: {alphabet} {key}"),
            strokes=_parse_strokes(strokes[key], f"{root}: {alphabet} {key}"),
            character=f"{alphabet} {key}",
        )
        for key in sorted(images)
    ]


def _read_members(path: Path, alphabet: str, suffix: str) -> dict[str, bytes]:
    """File name without ending (as in 0108_01: character and drawer) to content."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if f"/{alphabet}/" in name and name.endswith(suffix)]
            found = {Path(name).stem: archive.read(name) for name in names if "__MACOSX" not in name}
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected the zip file of that name of Omniglot") from error
    odd = [name for name in found if not _MEMBER.fullmatch(name)]
    if odd:
        raise DataError(f"{path}: {alphabet}/{odd[0]}{suffix}: expected a name such as 0108_01, character and drawer")
    if not found:
        raise DataError(f"{path}: no {suffix} files of the alphabet {alphabet}; expected the zip file of Omniglot")
    return found


def _parse_image(content: bytes, where: str) -> NDArray[np.float32]:
    try:
        picture = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    except (OSError, SyntaxError) as error:
        raise DataError(f"{where}: the picture is damaged ({error}); expected a PNG file") from error
    if picture.shape != (_SIDE, _SIDE):
        raise DataError(f"{where}: the picture is {picture.shape}; expected {_SIDE} x {_SIDE} pixels")
    return (picture < 128).astype(np.float32)


def _parse_strokes(content: bytes, where: str) -> Strokes:
    """Lines of x,y,time; the y of the files counts upwards from the top, so it is negative. BREAK ends a stroke."""
    strokes: Strokes = []
    points: list[tuple[float, float]] = []
    try:
        for line in content.decode("ascii").split():
            if line == "START":
                continue
            if line == "BREAK":
                strokes.append(np.array(points, dtype=np.float32))
                points = []
                continue
            x, y, _ = line.split(",")
            points.append((float(x), -float(y)))
    except ValueError as error:
        raise DataError(f"{where}: the strokes are damaged ({error}); expected lines of x,y,time") from error
    strokes = [stroke for stroke in strokes if len(stroke)]
    if not strokes:
        raise DataError(f"{where}: no strokes; expected lines of x,y,time and BREAK")
    return strokes
