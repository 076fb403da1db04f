"""How an epoch is cut into batches: of all classes, or of one class each. `task` calls it."""

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor


def heterogeneous_batches(num: int, *, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Shuffled places of `num` items in full batches; what is left over is left out."""
    order_N = torch.randperm(num, generator=generator)
    yield from torch.split(order_N[: num // size * size], size)


def homogeneous_batches(labels_N: Tensor, *, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Shuffled places in batches of one class, in shuffled order; a class below `size` is one smaller batch."""
    batches: list[Tensor] = []
    for label in sorted(set(labels_N.tolist())):
        places = torch.nonzero(labels_N == label).squeeze(1)
        places = places[torch.randperm(len(places), generator=generator)]
        batches += torch.split(places[: max(len(places) // size * size, min(size, len(places)))], size)
    for i in torch.randperm(len(batches), generator=generator):
        yield batches[i]


def num_homogeneous_batches(labels_N: Tensor, *, size: int) -> int:
    """How many batches `homogeneous_batches` gives."""
    return sum(max(1, count // size) for count in Counter(labels_N.tolist()).values())
