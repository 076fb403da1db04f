"""The user's own embeddings: named arrays in one .npz or .safetensors file.

The README of the adapter task describes the arrays; every fault names the file, the array and the row.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from trainables.data.embeddings.embeddings import Embeddings
from trainables.data.embeddings.encoded import encode
from trainables.data.embeddings.sources import EmbeddingFile
from trainables.data.errors import DataError, Split

_SPACES = ("clip", "t5")
_SPLITS = tuple(Split)
_EXPECTED = "expected inputs, classes, split, and targets_clip or targets_t5"

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class WholeFile:
    """All items of a file, checked: `splits_N` holds the place of each item's split in `Split`."""

    items: Embeddings
    splits_N: NDArray[np.int64]
    class_names: tuple[str, ...]


def read_file(source: EmbeddingFile, split: Split) -> Embeddings:
    """The items of one split.

    Raises: DataError: the file is missing, damaged, or not as described, or the split has fewer than two items.
    """
    whole = read_whole_file(source)
    rows = torch.from_numpy(np.flatnonzero(whole.splits_N == _SPLITS.index(split)))
    if len(rows) < 2:
        raise DataError(f"{source.path}: split: {len(rows)} items are marked {split.value!r}; expected 2 or more")
    return Embeddings(
        inputs_NSI=whole.items.inputs_NSI[rows],
        targets={space: target[rows] for space, target in whole.items.targets.items()},
        labels_N=whole.items.labels_N[rows],
    )


@lru_cache(maxsize=1)
def read_whole_file(source: EmbeddingFile) -> WholeFile:
    """Every item and the names of the classes. Raises: DataError: as `read_file`, or the encoder fails."""
    path = source.path
    arrays = _load(Path(path))
    missing = [name for name in ("inputs", "classes", "split") if name not in arrays]
    if missing or not any(f"targets_{space}" in arrays for space in _SPACES):
        found = ", ".join(sorted(arrays)) or "none"
        raise DataError(f"{path}: {missing[0] if missing else 'targets'} is missing; {_EXPECTED}, found {found}")
    num = len(arrays["inputs"]) if arrays["inputs"].ndim else 0
    if source.encoder and num:
        folder = Path(source.cache).expanduser()
        encoded = encode(arrays["inputs"], encoder=source.encoder, batch_size=source.encoder_batch_size, folder=folder)
        arrays = {**arrays, "inputs": encoded}
    labels_N, class_names = _labels(_column(arrays, "classes", num=num, path=path), path)
    splits_N = _splits(_column(arrays, "split", num=num, path=path), path)
    _check_classes(labels_N, splits_N, class_names, path)
    items = Embeddings(
        inputs_NSI=_vectors(arrays, "inputs", num=num, path=path),
        targets={
            space: _vectors(arrays, f"targets_{space}", num=num, path=path)
            for space in _SPACES
            if f"targets_{space}" in arrays
        },
        labels_N=torch.from_numpy(labels_N),
    )
    return WholeFile(items=items, splits_N=splits_N, class_names=class_names)


def _load(path: Path) -> Arrays:
    if path.suffix not in (".npz", ".safetensors"):
        raise DataError(f"{path}: unknown kind of file {path.suffix!r}; expected .npz or .safetensors")
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.numpy.load_file(path))
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, SafetensorError) as error:
        raise DataError(f"{path}: cannot be read ({error}); {_EXPECTED}") from error


def _vectors(arrays: Arrays, name: str, *, num: int, path: str) -> torch.Tensor:
    """Float32 (items, positions, channels); a plain row is one position."""
    array = arrays[name]
    if array.ndim not in (2, 3) or 0 in array.shape or len(array) != num:
        shapes = f"({num}, channels) or ({num}, positions, channels)"
        raise DataError(f"{path}: {name}: the shape is {array.shape}; expected {shapes}, one row per item of inputs")
    if not np.issubdtype(array.dtype, np.floating):
        raise DataError(f"{path}: {name}: the numbers are {array.dtype}; expected floats")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite and is reported below
        vectors = array.reshape(num, -1, array.shape[-1]).astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=(1, 2)))
    if len(broken):
        raise DataError(f"{path}: {name}: row {broken[0]} ({len(broken)} in all) holds NaN or infinite float32 numbers")
    return torch.from_numpy(vectors)


def _column(arrays: Arrays, name: str, *, num: int, path: str) -> NDArray[np.generic]:
    column = arrays[name]
    if column.shape != (num,):
        raise DataError(f"{path}: {name}: the shape is {column.shape}; expected ({num},), one for each row of inputs")
    if column.dtype.kind not in "iuU":
        raise DataError(f"{path}: {name}: the values are {column.dtype}; expected integers or strings")
    return column


def _labels(column: NDArray[np.generic], path: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class numbers without gaps, in the order of the sorted values, and the values as names."""
    unset = np.flatnonzero(column == "" if column.dtype.kind == "U" else column < 0)  # type: ignore[operator]
    if len(unset):
        raise DataError(f"{path}: classes: row {unset[0]} has no class ({column[unset[0]]!r})")
    values, labels_N = np.unique(column, return_inverse=True)
    return labels_N.astype(np.int64), tuple(str(value) for value in values)


def _splits(column: NDArray[np.generic], path: str) -> NDArray[np.int64]:
    """The place of each item's split in `Split`; numbers are that already."""
    known = {str(split): i for i, split in enumerate(_SPLITS)} | {str(i): i for i in range(len(_SPLITS))}
    unknown = np.flatnonzero(~np.isin(column.astype(str), list(known)))
    if len(unknown):
        value = column[unknown[0]].item()
        raise DataError(f"{path}: split: row {unknown[0]} is {value!r}; expected train, val, test, or 0, 1, 2")
    return np.array([known[str(value)] for value in column], dtype=np.int64)


def _check_classes(labels_N: NDArray[np.int64], splits_N: NDArray[np.int64], names: tuple[str, ...], path: str) -> None:
    """Each class has two items or more, and one of them at least is in train."""
    for c, name in enumerate(names):
        rows = np.flatnonzero(labels_N == c)
        if len(rows) < 2:
            raise DataError(f"{path}: classes: {name!r} has one item only, row {rows[0]}; expected 2 or more")
        if not (splits_N[rows] == _SPLITS.index(Split.TRAIN)).any():
            raise DataError(f"{path}: classes: {name!r} has no item in train; its first is row {rows[0]}")
