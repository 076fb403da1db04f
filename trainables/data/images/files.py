"""The user's own pictures in the layout of CIFAR-100. `load` calls this; the task's README describes the files.

The original files are pickles, which can run code when they are read: here only dicts, lists, strings, numbers and
numpy arrays are let through, and anything else is an error.
"""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.errors import DataError
from trainables.data.images.images import RawImages
from trainables.data.images.sources import CifarLabel, ImageFiles

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE
_EXPECTED = "'data', uint8 (items, 3072) or (items, height, width[, channels]), and labels, one integer for each item"
_HARMLESS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
}
"""All that a pickled array needs."""


def read_image_files(source: ImageFiles, name: str) -> RawImages:
    """Args: name: `train` or `test`.

    Raises: DataError: the file is missing, damaged, or holds something else.
    """
    root = Path(source.root)
    path = next((path for path in (root / f"{name}.npz", root / name) if path.is_file()), None)
    if path is None:
        raise DataError(f"{root}: neither {name}.npz nor {name} is there; expected {_EXPECTED}")
    content = _read_npz(path) if path.suffix == ".npz" else _read_pickle(path)
    for key in ("data", source.labels.value):
        if key not in content:
            raise DataError(f"{path}: no {key!r}, only {sorted(content)}; expected {_EXPECTED}")
    pixels = _as_pixels(content["data"], path)
    labels = _as_labels(content[source.labels.value], path, source.labels)
    if len(labels) != len(pixels):
        raise DataError(f"{path}: {len(pixels)} pictures, but {len(labels)} labels")
    return RawImages(pixels=pixels, labels=labels, where=str(path))


def split_for_val(raw: RawImages, *, fraction: float, seed: int) -> tuple[RawImages, RawImages]:
    """Take that share of each class, one at least, for val.

    Raises: DataError: a class has one picture only.
    """
    generator = np.random.default_rng(seed)
    labels = np.array(raw.labels)
    train: list[int] = []
    val: list[int] = []
    for name in dict.fromkeys(raw.labels):
        places = generator.permutation(np.flatnonzero(labels == name)).tolist()
        if len(places) < 2:
            raise DataError(f"{raw.where}: class {name!r} has 1 picture; expected 2 or more, for train and val")
        num_val = min(max(1, round(fraction * len(places))), len(places) - 1)
        val += places[:num_val]
        train += places[num_val:]
    return raw.subset(sorted(train)), raw.subset(sorted(val))


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        """Called for whatever a pickle wants to import."""
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of an array")
        return super().find_class(module, name)


def _read_pickle(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            content = _ArraysOnly(file, encoding="bytes").load()
    # A damaged pickle may fail in any way.
    except Exception as error:
        raise DataError(f"{path}: cannot be read ({error}); expected a file of CIFAR-100 for Python") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds a {type(content).__name__}; expected a dict with {_EXPECTED}")
    return {key.decode("ascii", "replace") if isinstance(key, bytes) else str(key): content[key] for key in content}


def _read_npz(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected an npz file with {_EXPECTED}") from error


def _as_pixels(data: object, path: Path) -> NDArray[np.float32]:
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or not data.size:
        found = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise DataError(f"{path}: 'data' is {found}; expected {_EXPECTED}")
    if data.ndim == 2 and data.shape[1] == _PIXELS:
        pixels = data.reshape(-1, 3, _SIDE, _SIDE)
    elif data.ndim == 3:
        pixels = data[:, None]
    elif data.ndim == 4:
        pixels = np.moveaxis(data, -1, 1)
    else:
        raise DataError(f"{path}: 'data' has the shape {data.shape}; expected {_EXPECTED}")
    return pixels.astype(np.float32) / np.float32(255)


def _as_labels(labels: object, path: Path, kind: CifarLabel) -> list[str]:
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not isinstance(values, list):
        raise DataError(f"{path}: {kind.value!r} is a {type(labels).__name__}; expected a list of integers")
    for row, value in enumerate(values):
        if type(value) is not int or value < 0:
            raise DataError(f"{path}: {kind.value!r} row {row} is {value!r}; expected an integer of 0 or more")
    return [str(value) for value in values]
