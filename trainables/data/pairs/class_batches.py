"""Batches of P classes with K items each, every item at most once an epoch. Knows labels only, no videos or texts."""

from collections.abc import Iterator

import torch
from torch import Tensor


def class_batches(
    labels_N: Tensor, *, batch_size: int, items_per_class: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Places in `labels_N`, full batches only.

    Each class is cut into groups of K at random. A round takes one group of every class that still has one, so that a
    batch holds different classes, except where two rounds meet. What is left of a class after its groups waits for
    another epoch; a class of fewer than K items is in no batch, see `num_excluded`.

    Args:
        labels_N: numbers from 0.
        batch_size: a multiple of K.
        items_per_class: K.
        generator: on the CPU.
    """
    groups: list[tuple[int, Tensor]] = []
    for label in range(int(labels_N.max()) + 1):
        places = (labels_N == label).nonzero().flatten()
        shuffled = places[torch.randperm(len(places), generator=generator)]
        whole = len(places) // items_per_class * items_per_class
        groups += enumerate(torch.split(shuffled[:whole], items_per_class) if whole else ())
    mixed = [groups[i] for i in torch.randperm(len(groups), generator=generator).tolist()]
    by_round = [group for _, group in sorted(mixed, key=lambda numbered: numbered[0])]
    per_batch = batch_size // items_per_class
    for start in range(0, len(by_round) - per_batch + 1, per_batch):
        yield torch.cat(by_round[start : start + per_batch])


def num_class_batches(labels_N: Tensor, *, batch_size: int, items_per_class: int) -> int:
    """How many batches `class_batches` gives."""
    num_groups = int((labels_N.bincount() // items_per_class).sum())
    return num_groups // (batch_size // items_per_class)


def num_excluded(labels_N: Tensor, *, items_per_class: int) -> int:
    """How many items belong to a class that is too small for a group."""
    counts = labels_N.bincount()
    return int(counts[counts < items_per_class].sum())
