"""A folder of saved epochs: `epoch_003.npz` or `epoch_003.safetensors`, each with the same items embedded.

Arrays: `embeddings` (items, size), `labels` (items,) and, where several items come from one recording, `records`
(items,). `orch diagnose FOLDER` reads it; every fault names the file and the row.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from trainables.data.errors import DataError

_NAME = re.compile(r"epoch[_-]?(\d+)\.(npz|safetensors)")
_EXPECTED = "expected embeddings (items, size), labels (items,) and, if need be, records (items,)"

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class SavedEpoch:
    """One file, checked.

    Attributes:
        epoch: epochs done, from the file's name; 0 is the untrained model.
        z_ND: finite, as they were saved.
        labels_N, records_N: numbers from 0, the same in each file of a folder. Without `records` each item is its own.
    """

    epoch: int
    path: Path
    z_ND: Tensor
    labels_N: Tensor
    records_N: Tensor


def epoch_files(folder: Path) -> dict[int, Path]:
    """The files of saved epochs by epoch, ascending; none is fine.

    Raises: DataError: an epoch has two files.
    """
    files: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if found := _NAME.fullmatch(path.name):
            other = files.setdefault(int(found[1]), path)
            if other != path:
                raise DataError(f"{folder}: epoch {int(found[1])} has two files, {other.name} and {path.name}")
    return dict(sorted(files.items()))


def read_epochs(folder: Path) -> Iterator[SavedEpoch]:
    """The epochs of a folder, one file at a time.

    Raises: DataError: there is none, a file is damaged or not as described, or two files hold different items.
    """
    files = epoch_files(folder)
    if not files:
        raise DataError(f"{folder}: no epochs; expected files such as epoch_003.npz or epoch_003.safetensors")
    first: Mapping[str, Array] = {}
    for epoch, path in files.items():
        arrays = _load(path)
        first = first or arrays
        yield _checked(epoch, path, arrays, first=first, first_path=next(iter(files.values())))


def _checked(
    epoch: int, path: Path, arrays: Mapping[str, Array], *, first: Mapping[str, Array], first_path: Path
) -> SavedEpoch:
    for name in ("embeddings", "labels"):
        if name not in arrays:
            raise DataError(f"{path}: {name} is missing; {_EXPECTED}, found {', '.join(sorted(arrays)) or 'none'}")
    z = _vectors(arrays["embeddings"], path)
    if z.shape != first["embeddings"].shape:
        raise DataError(f"{path}: embeddings are {z.shape}, but {first['embeddings'].shape} in {first_path.name}")
    labels = _column(arrays, "labels", num=len(z), path=path)
    records = _column(arrays, "records", num=len(z), path=path) if "records" in arrays else None
    for name in ("labels", "records"):
        _check_same(name, arrays.get(name), first.get(name), f"{path}", first_path.name)
    labels_N = _numbered(labels)
    records_N = np.arange(len(z)) if records is None else _numbered(records)
    _check_queries(labels_N, records_N, path)
    return SavedEpoch(epoch, path, torch.from_numpy(z), torch.from_numpy(labels_N), torch.from_numpy(records_N))


def _load(path: Path) -> Mapping[str, Array]:
    try:
        if path.suffix == ".safetensors":
            loaded: Mapping[str, Array] = safetensors.numpy.load_file(path)
            return loaded
        # Opened here: NumPy leaves a file open that turns out to be torn.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, SafetensorError) as error:
        raise DataError(f"{path}: cannot be read ({error}); {_EXPECTED}") from error


def _vectors(array: Array, path: Path) -> NDArray[np.float64]:
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{path}: embeddings: the shape is {array.shape}; expected (items, size)")
    if array.dtype.kind not in "fiu":
        raise DataError(f"{path}: embeddings: the numbers are {array.dtype}; expected floats")
    vectors = array.astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise DataError(f"{path}: embeddings: row {broken[0]} ({len(broken)} in all) holds NaN or infinite numbers")
    return vectors


def _column(arrays: Mapping[str, Array], name: str, *, num: int, path: Path) -> Array:
    column = arrays[name]
    if column.shape != (num,):
        raise DataError(f"{path}: {name}: the shape is {column.shape}; expected ({num},), one for each embedding")
    if column.dtype.kind not in "iuUSb":
        raise DataError(f"{path}: {name}: the values are {column.dtype}; expected integers or strings")
    return column


def _check_same(name: str, array: Array | None, first: Array | None, where: str, first_name: str) -> None:
    """The same items in each file, or the epochs could not be compared."""
    if (array is None) != (first is None):
        raise DataError(f"{where}: {name} are in one of this file and {first_name}, but not in the other")
    if array is None or first is None:
        return
    differing = np.flatnonzero(array != first)
    if len(differing):
        row = differing[0]
        raise DataError(f"{where}: {name}: row {row} is {array[row]}, but {first[row]} in {first_name}")


def _numbered(column: Array) -> NDArray[np.int64]:
    return np.unique(column, return_inverse=True)[1].astype(np.int64)


def _check_queries(labels_N: NDArray[np.int64], records_N: NDArray[np.int64], path: Path) -> None:
    """Two classes, and one of them with items of two recordings: without that there is nothing to find."""
    if labels_N.max() == 0:
        raise DataError(f"{path}: labels: all {len(labels_N)} items are of one class; expected 2 or more")
    seen = np.unique(np.stack([labels_N, records_N]), axis=1)[0]
    if np.bincount(seen).max() < 2:
        raise DataError(f"{path}: labels: no class has two items of different records, so no query has an answer")
