"""The user's own pairs: an array of videos and a file of texts in one folder.

The README of the multitask task describes the files; every fault names the file and what is expected there.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import DataError, Split
from trainables.data.pairs.pairs import RawPairs
from trainables.data.pairs.sources import FilesSource

_FORM = "one line per video, in the same order"


def read_files(source: FilesSource, split: Split) -> RawPairs:
    """The items of one split.

    Raises: DataError: a file is missing, damaged, of another shape, or the split is empty.
    """
    root = Path(source.root)
    path, videos = _read_videos(root)
    texts, splits = _read_texts(root)
    if len(videos) != len(texts):
        raise DataError(f"{root}: {len(videos)} videos, but {len(texts)} texts; expected {_FORM}")
    chosen = [i for i, name in enumerate(splits) if name == split]
    if len(chosen) < 2:
        raise DataError(f"{root}: {len(chosen)} items are marked {split.value!r}; expected 2 or more")
    return RawPairs(videos=_as_grey(videos, chosen, path), texts=[texts[i] for i in chosen])


def _read_videos(root: Path) -> tuple[Path, NDArray[np.generic]]:
    expected = "videos.npy, or videos.npz with an array named 'videos', of shape (items, frames, height, width)"
    path = next((root / name for name in ("videos.npy", "videos.npz") if (root / name).is_file()), None)
    if path is None:
        raise DataError(f"{root}: no videos; expected {expected}")
    try:
        loaded = np.load(path, allow_pickle=False)
        videos = loaded["videos"] if path.suffix == ".npz" else loaded
    except Exception as error:
        # On a damaged file NumPy passes on whatever its parsers raise, even tokenize.TokenError.
        raise DataError(f"{path}: cannot be read ({error}); expected {expected}") from error
    if not isinstance(videos, np.ndarray) or videos.ndim != 4 or 0 in videos.shape:
        raise DataError(f"{path}: the shape is {getattr(videos, 'shape', None)}; expected {expected}")
    return path, videos


def _as_grey(videos: NDArray[np.generic], chosen: Sequence[int], path: Path) -> NDArray[np.float32]:
    """The chosen videos; a fault names the first one that has it, by its place in the file."""
    whole = np.issubdtype(videos.dtype, np.uint8)
    if not whole and not np.issubdtype(videos.dtype, np.floating):
        raise DataError(f"{path}: videos are {videos.dtype}; expected uint8, or floats in [0, 1]")
    grey = videos[chosen].astype(np.float32) / np.float32(255 if whole else 1)
    low_N, high_N = grey.min(axis=(1, 2, 3)), grey.max(axis=(1, 2, 3))
    for item, low, high in zip(chosen, low_N.tolist(), high_N.tolist(), strict=True):
        # Written so that NaN fails too.
        if not (low >= 0 and high <= 1):
            raise DataError(f"{path}: video {item} goes from {low:g} to {high:g}; expected floats in [0, 1], or uint8")
        if low == high:
            raise DataError(f"{path}: video {item} has the same grey, {low:g}, in all its pixels; expected a picture")
    return grey


def _read_texts(root: Path) -> tuple[list[str], list[str]]:
    """Texts and the split of each."""
    for name, parse in (("texts.jsonl", _parse_json_line), ("texts.txt", _parse_tabbed_line)):
        path = root / name
        if path.is_file():
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(f"{path}: cannot be read ({error}); expected UTF-8 text") from error
            parsed = [parse(line, f"{path}:{i}") for i, line in enumerate(lines, start=1) if line.strip()]
            return [text for text, _ in parsed], [split for _, split in parsed]
    raise DataError(f"{root}: no texts; expected texts.jsonl or texts.txt, {_FORM}")


def _parse_json_line(line: str, where: str) -> tuple[str, str]:
    expected = 'expected {"split": "train", "text": "..."}'
    try:
        item = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error}); {expected}") from error
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise DataError(f"{where}: no text; {expected}")
    return _checked(item["text"], item.get("split"), where)


def _parse_tabbed_line(line: str, where: str) -> tuple[str, str]:
    split, tab, text = line.partition("\t")
    if not tab:
        raise DataError(f"{where}: no tab; expected the split, a tab, and the text")
    return _checked(text, split, where)


def _checked(text: str, split: object, where: str) -> tuple[str, str]:
    if split not in list(Split):
        raise DataError(f"{where}: the split is {split!r}; expected train, val or test")
    if not text.strip():
        raise DataError(f"{where}: the text is empty")
    return text, str(split)
