"""Pairs of a video and a text, as every source delivers them and as tasks use them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.data.pairs.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class RawPairs:
    """One split before tokens.

    Attributes:
        videos: float32 (items, frames, height, width), grey in [0, 1].
        texts: one for each video.
        labels: class of each item, where the source has classes.
    """

    videos: NDArray[np.float32]
    texts: Sequence[str]
    labels: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Pairs:
    """One split, ready to train on.

    Attributes:
        videos_NTHW: float32, grey in [0, 1].
        tokens_NL: int64, begin token first, end token last, then padding.
        texts: as the source wrote them.
        groups_N: int64; items with the same text have the same number.
        labels_N: int64 class of each item, None where the source has no classes.
    """

    videos_NTHW: Tensor
    tokens_NL: Tensor
    texts: tuple[str, ...]
    groups_N: Tensor
    labels_N: Tensor | None

    def __len__(self) -> int:
        return len(self.texts)

    def same_text(self, chosen_B: Tensor) -> Tensor:
        """Which of the chosen items have the same text; bool (B, B), True on the diagonal."""
        groups_B = self.groups_N[chosen_B]
        return groups_B[:, None] == groups_B


@dataclass(frozen=True, slots=True)
class PairedData:
    """What a trial learns from and is judged on. The test split is loaded apart.

    Attributes:
        longest: tokens of the longest text of train and val, for which a model is made.
        segments: the vessel segments that reports name; empty where texts are not such reports.
    """

    train: Pairs
    val: Pairs
    tokenizer: Tokenizer
    longest: int
    segments: tuple[str, ...] = ()


def merge(first: RawPairs, second: RawPairs) -> RawPairs:
    """The items of two splits, which have no class in common."""
    labels = None
    if first.labels is not None and second.labels is not None:
        labels = [*first.labels, *(max(first.labels) + 1 + label for label in second.labels)]
    return RawPairs(
        videos=np.concatenate([first.videos, second.videos]), texts=[*first.texts, *second.texts], labels=labels
    )


def tokenize(raw: RawPairs, tokenizer: Tokenizer) -> Pairs:
    """Turn texts into padded token ids and find equal texts."""
    first_seen: dict[str, int] = {}
    groups = [first_seen.setdefault(text, len(first_seen)) for text in raw.texts]
    return Pairs(
        videos_NTHW=torch.from_numpy(raw.videos),
        tokens_NL=tokenizer.encode(raw.texts),
        texts=tuple(raw.texts),
        groups_N=torch.tensor(groups),
        labels_N=None if raw.labels is None else torch.tensor(raw.labels),
    )
