"""P classes x K items: the batches in which every anchor has positives to find.

A task draws one epoch of index batches from `PKSampler`, and reports what each batch is made of.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from trainables.mining.pool import Items, positive_candidates
from trainables.mining.strategies import Sampling


@dataclass(frozen=True, slots=True)
class BatchComposition:
    """What a batch is made of.

    Attributes:
        distinct_items_fraction: distinct items over slots; below 1 there are positives at distance 0.
        num_classes: distinct classes.
        anchors_without_positive_fraction: slots without another item of their class from another recording.
        positives_per_anchor: mean number of distinct such items.
    """

    distinct_items_fraction: float
    num_classes: int
    anchors_without_positive_fraction: float
    positives_per_anchor: float

    def metrics(self) -> dict[str, float]:
        """By full metric name."""
        return {
            "train/distinct_items_fraction": self.distinct_items_fraction,
            "train/classes_per_batch": float(self.num_classes),
            "train/anchors_without_positive_fraction": self.anchors_without_positive_fraction,
            "train/positives_per_anchor": self.positives_per_anchor,
        }


def batch_composition(items: Items) -> BatchComposition:
    """Describe a batch of at least one item."""
    first = _first_occurrences(items.items_N)
    positives_N = positive_candidates(items, items.select(first)).sum(dim=1)
    return BatchComposition(
        distinct_items_fraction=len(first) / len(items),
        num_classes=len(set(items.labels_N.tolist())),
        anchors_without_positive_fraction=float((positives_N == 0).double().mean()),
        positives_per_anchor=float(positives_N.double().mean()),
    )


class PKSampler:
    """Batches of P classes and up to K items of each, spread over the recordings of the class.

    Classes take turns: a round goes once through all of them in random order, and leaves out the last few where P
    does not divide their number. Classes with one recording have no positives; they are excluded and counted. No item
    occurs twice in a batch, so a class with fewer than K items gives all that it has; with replacement it repeats
    them, as pytorch-metric-learning's MPerClassSampler does.

    Attributes:
        num_batches: in one epoch.
        num_classes: classes that are sampled.
        num_excluded_classes: classes with a single recording.
        num_excluded_items: the items of those.
    """

    def __init__(
        self,
        labels_N: Tensor,
        recordings_N: Tensor,
        *,
        classes_per_batch: int,
        items_per_class: int,
        sampling: Sampling = Sampling.DISTINCT,
        batches_per_epoch: int | None = None,
    ) -> None:
        """Labels and recordings of N items, int64. By default an epoch has N / (P x K) batches, rounded up.

        Raises: ValueError: no class is left, P is more than the classes, or K is more than the largest one has.
        """
        recordings_by_class, single = _split_classes(labels_N, recordings_N)
        self._items_by_class = [pad_sequence(x, batch_first=True, padding_value=-1) for x in recordings_by_class]
        self._size, self._items_per_class, self._sampling = classes_per_batch, items_per_class, sampling
        self.num_classes = len(recordings_by_class)
        self.num_excluded_classes = len(single)
        self.num_excluded_items = sum(single.values())
        sizes = [sum(map(len, recordings)) for recordings in recordings_by_class]
        _check(sizes, classes_per_batch=classes_per_batch, items_per_class=items_per_class, sampling=sampling)
        default = -(-sum(sizes) // (classes_per_batch * items_per_class))
        self.num_batches = default if batches_per_epoch is None else batches_per_epoch

    def batches(self, generator: torch.Generator) -> Iterator[Tensor]:
        """One epoch of batches; each is a row of at most P x K indices, class by class."""
        for _, classes in zip(range(self.num_batches), self._rounds(generator), strict=False):
            yield torch.cat([self._draw(self._items_by_class[c], generator) for c in classes])

    def _rounds(self, generator: torch.Generator) -> Iterator[list[int]]:
        while True:
            order = torch.randperm(self.num_classes, generator=generator).tolist()
            for start in range(0, self.num_classes - self._size + 1, self._size):
                yield order[start : start + self._size]

    def _draw(self, items_RT: Tensor, generator: torch.Generator) -> Tensor:
        """K items: one of each recording in random order, then a second one of each, and so on."""
        if items_RT.shape[1] > 1:
            items_RT = torch.stack([_shuffled(items_T, generator) for items_T in items_RT])
        by_turn = items_RT[torch.randperm(len(items_RT), generator=generator)].T.flatten()
        drawn = by_turn[by_turn >= 0]
        if self._sampling is Sampling.DISTINCT or len(drawn) >= self._items_per_class:
            return drawn[: self._items_per_class]
        return drawn[torch.randint(len(drawn), (self._items_per_class,), generator=generator)]


def _split_classes(labels_N: Tensor, recordings_N: Tensor) -> tuple[list[list[Tensor]], Mapping[int, int]]:
    """For each class with two recordings or more the indices by recording; and the sizes of the other classes."""
    by_class: dict[int, dict[int, list[int]]] = {}
    for index, (label, recording) in enumerate(zip(labels_N.tolist(), recordings_N.tolist(), strict=True)):
        by_class.setdefault(label, {}).setdefault(recording, []).append(index)
    usable = [[torch.tensor(x) for x in parts.values()] for _, parts in sorted(by_class.items()) if len(parts) > 1]
    single = {label: sum(map(len, parts.values())) for label, parts in by_class.items() if len(parts) == 1}
    return usable, single


def _check(sizes: Sequence[int], *, classes_per_batch: int, items_per_class: int, sampling: Sampling) -> None:
    if classes_per_batch < 2 or items_per_class < 2:
        raise ValueError(f"{classes_per_batch} classes x {items_per_class} items: contrast needs at least 2 x 2")
    if len(sizes) < classes_per_batch:
        raise ValueError(f"{classes_per_batch} classes in a batch, but {len(sizes)} have two recordings or more")
    if sampling is Sampling.DISTINCT and items_per_class > max(sizes):
        listed = ", ".join(map(str, sorted(sizes, reverse=True)[:10]))
        raise ValueError(f"{items_per_class} items of each class, but the largest classes have {listed} items")


def _shuffled(items_T: Tensor, generator: torch.Generator) -> Tensor:
    """A recording's items in random order; -1 stays at the end."""
    num = int((items_T >= 0).sum())
    return torch.cat([items_T[torch.randperm(num, generator=generator)], items_T[num:]])


def _first_occurrences(items_N: Tensor) -> Tensor:
    """Index at which each number occurs first."""
    first: dict[int, int] = {}
    for index, item in enumerate(items_N.tolist()):
        first.setdefault(item, index)
    return torch.tensor(list(first.values()), device=items_N.device)
