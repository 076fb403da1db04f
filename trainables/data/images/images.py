"""Labelled pictures, as every source delivers them and as tasks use them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.data.errors import DataError


@dataclass(frozen=True, slots=True)
class Images:
    """One split.

    Attributes:
        pixels_NCHW: float32 in [0, 1].
        labels_N: int64 classes from 0.
    """

    pixels_NCHW: Tensor
    labels_N: Tensor

    def __len__(self) -> int:
        return len(self.labels_N)


def merge(first: Images, second: Images) -> Images:
    """The items of both."""
    return Images(
        pixels_NCHW=torch.cat([first.pixels_NCHW, second.pixels_NCHW]),
        labels_N=torch.cat([first.labels_N, second.labels_N]),
    )


@dataclass(frozen=True, slots=True)
class ImageData:
    """What a trial learns from and is judged on; each class is in both.

    Attributes:
        classes: name of each class.
    """

    train: Images
    val: Images
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawImages:
    """Pictures of one split before they are tensors.

    Attributes:
        pixels: float32 (items, channels, height, width) in [0, 1].
        labels: name of each item's class.
        where: file that they come from, for errors.
    """

    pixels: NDArray[np.float32]
    labels: Sequence[str]
    where: str

    def subset(self, chosen: Sequence[int]) -> "RawImages":
        """The chosen items, in that order."""
        return RawImages(pixels=self.pixels[list(chosen)], labels=[self.labels[i] for i in chosen], where=self.where)


def to_images(train: RawImages, judged: RawImages) -> ImageData:
    """Number the classes in order of their first item in `train`.

    Raises: DataError: the splits differ in their classes or in the shape of a picture, or there is one class only.
    """
    numbers = {name: i for i, name in enumerate(dict.fromkeys(train.labels))}
    odd = sorted(numbers.keys() ^ set(judged.labels))
    if odd:
        counts = Counter(train.labels), Counter(judged.labels)
        raise DataError(
            f"class {odd[0]!r} has {counts[0][odd[0]]} pictures in {train.where} and {counts[1][odd[0]]} in "
            f"{judged.where}; expected at least one in each"
        )
    if len(numbers) < 2:
        raise DataError(f"{train.where}: {len(numbers)} class; expected 2 or more")
    if train.pixels.shape[1:] != judged.pixels.shape[1:]:
        raise DataError(
            f"{judged.where}: pictures are {judged.pixels.shape[1:]}, those of {train.where} {train.pixels.shape[1:]}"
        )
    return ImageData(train=_numbered(train, numbers), val=_numbered(judged, numbers), classes=tuple(numbers))


def _numbered(raw: RawImages, numbers: dict[str, int]) -> Images:
    labels_N = torch.tensor([numbers[name] for name in raw.labels])
    return Images(pixels_NCHW=torch.from_numpy(np.ascontiguousarray(raw.pixels)), labels_N=labels_N)
