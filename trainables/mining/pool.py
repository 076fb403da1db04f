"""Who may be whose positive and negative, and the pool of candidates that a choice is made from.

Tasks describe the batch, a memory or the whole train set as `Items`; `choose` and the pair losses take the masks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Items:
    """What mining must know of N items, all int64.

    Attributes:
        labels_N: the class.
        recordings_N: what an item was cut from; two cuts of one recording are never a pair.
        items_N: a number of its own for each item. An item that occurs twice has the same number twice.
    """

    labels_N: Tensor
    recordings_N: Tensor
    items_N: Tensor

    def __post_init__(self) -> None:
        shapes = {tuple(x.shape) for x in (self.labels_N, self.recordings_N, self.items_N)}
        if len(shapes) != 1 or self.labels_N.ndim != 1:
            raise ValueError(f"labels, recordings and items are one row of numbers each, not {sorted(shapes)}")

    def __len__(self) -> int:
        return len(self.labels_N)

    def select(self, chosen: Tensor) -> "Items":
        """The items at these indices, or where this mask is True."""
        return Items(self.labels_N[chosen], self.recordings_N[chosen], self.items_N[chosen])

    def to(self, device: torch.device | str) -> "Items":
        """The same on another device."""
        return Items(self.labels_N.to(device), self.recordings_N.to(device), self.items_N.to(device))


@dataclass(frozen=True, slots=True)
class Pool:
    """What A anchors may choose from among N candidates.

    The masks say on which device the choice is made; distances and ages may come from another.

    Attributes:
        positive_AN: bool.
        negative_AN: bool.
        distance_AN: in the metric of the loss; None where nothing is embedded yet.
        is_global: whether the candidates are the whole train set.
        age_N: optimizer steps since each candidate was embedded; None where all are fresh.
    """

    positive_AN: Tensor
    negative_AN: Tensor
    distance_AN: Tensor | None = None
    is_global: bool = False
    age_N: Tensor | None = None

    def __post_init__(self) -> None:
        shape = self.positive_AN.shape
        given = [self.negative_AN] if self.distance_AN is None else [self.negative_AN, self.distance_AN]
        if any(x.shape != shape for x in given):
            raise ValueError(f"masks and distances differ in shape: {tuple(shape)}, {[tuple(x.shape) for x in given]}")
        if self.age_N is not None and self.age_N.shape != shape[1:]:
            raise ValueError(f"{tuple(self.age_N.shape)} ages for {shape[1]} candidates")
        if bool((self.positive_AN & self.negative_AN).any()):
            raise ValueError("a candidate is both a positive and a negative of one anchor")


def positive_candidates(anchors: Items, pool: Items) -> Tensor:
    """Same class from another recording; bool (A, N). An anchor's copies are left out with its recording."""
    same_class = anchors.labels_N[:, None] == pool.labels_N
    same_recording = anchors.recordings_N[:, None] == pool.recordings_N
    same_item = anchors.items_N[:, None] == pool.items_N
    return same_class & ~same_recording & ~same_item


def negative_candidates(anchors: Items, pool: Items) -> Tensor:
    """Another class, from another recording; bool (A, N)."""
    same_class = anchors.labels_N[:, None] == pool.labels_N
    same_recording = anchors.recordings_N[:, None] == pool.recordings_N
    return ~same_class & ~same_recording


def chosen_mask(chosen_A: Tensor, num_candidates: int) -> Tensor:
    """One True in each row, at its index; none where the index is -1. Bool (A, N)."""
    return chosen_A[:, None] == torch.arange(num_candidates, device=chosen_A.device)
