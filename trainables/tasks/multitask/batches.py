"""How a split falls into batches: shuffled, or with several items of each of several classes. `task` draws them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.errors import DataError
from trainables.data.pairs.class_batches import class_batches, num_class_batches, num_excluded
from trainables.data.pairs.pairs import Pairs
from trainables.tasks.multitask.config import Config


@dataclass(frozen=True, slots=True)
class Batching:
    """Full batches only: contrastive losses depend on the size.

    Attributes:
        num_items: of the split.
        size: of a batch; the configured one, or what the split has if that is less.
        labels_N: classes; None where they play no part in the batches.
        items_per_class: in a batch; 1 where classes play no part.
    """

    num_items: int
    size: int
    labels_N: Tensor | None = None
    items_per_class: int = 1

    @property
    def num_batches(self) -> int:
        """Of an epoch."""
        if self.labels_N is None:
            return self.num_items // self.size
        return num_class_batches(self.labels_N, batch_size=self.size, items_per_class=self.items_per_class)

    @property
    def num_excluded(self) -> int:
        """Items that are in no batch of any epoch: those of classes that are too small."""
        return 0 if self.labels_N is None else num_excluded(self.labels_N, items_per_class=self.items_per_class)

    def draw(self, generator: torch.Generator) -> Iterator[Tensor]:
        """Places in the split, an epoch of them."""
        if self.labels_N is None:
            order_N = torch.randperm(self.num_items, generator=generator)
            return iter(torch.split(order_N[: self.num_batches * self.size], self.size))
        return class_batches(
            self.labels_N, batch_size=self.size, items_per_class=self.items_per_class, generator=generator
        )


def build_batching(pairs: Pairs, config: Config, *, split: str) -> Batching:
    """The batches that the config asks for.

    Args: split: what to call it in an error.
    Raises: DataError: batches go by class, and not even two classes have enough items.
    """
    per_class = config.items_per_class
    if per_class == 1 or pairs.labels_N is None:
        return Batching(num_items=len(pairs), size=min(config.batch_size, len(pairs)))
    num_groups = num_class_batches(pairs.labels_N, batch_size=per_class, items_per_class=per_class)
    if num_groups < 2:
        counts = pairs.labels_N.bincount()
        raise DataError(
            f"{split} of data.source {config.data.source}: the largest of {int((counts > 0).sum())} classes has "
            f"{int(counts.max())} items; items_per_class is {per_class}, which two classes at least must have"
        )
    size = per_class * min(config.batch_size // per_class, num_groups)
    return Batching(num_items=len(pairs), size=size, labels_N=pairs.labels_N, items_per_class=per_class)
