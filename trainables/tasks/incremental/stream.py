"""Which classes come when, and where in its step a moment lies. The task builds one for its data."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.errors import DataError
from trainables.tasks.incremental.config import Stream


@dataclass(frozen=True, slots=True)
class ClassStream:
    """Classes numbered in the order in which they come.

    Attributes:
        place_K: of each class of the data, its number in the stream.
        ends: how many classes have come by the end of each step.
    """

    place_K: Tensor
    ends: tuple[int, ...]

    @property
    def num_steps(self) -> int:
        """How many tasks there are."""
        return len(self.ends)

    def classes(self, step: int) -> range:
        """The classes of a step, as numbers in the stream."""
        return range(self.ends[step - 1] if step else 0, self.ends[step])


def build_stream(config: Stream, *, num_classes: int) -> ClassStream:
    """Shuffle the classes and cut them into steps, as even as possible; earlier ones get what is left over.

    Raises: DataError: there are not two classes for the first step and one for each other one.
    """
    order_K = torch.randperm(num_classes, generator=torch.Generator().manual_seed(config.class_order_seed))
    base = config.base_classes
    sizes = (
        _even(num_classes, config.num_steps)
        if base is None
        else [base, *_even(num_classes - base, config.num_steps - 1)]
    )
    if sum(sizes) != num_classes or sizes[0] < 2 or min(sizes) < 1:
        asked = f"stream.num_steps {config.num_steps}" + ("" if base is None else f" and stream.base_classes {base}")
        raise DataError(
            f"{num_classes} classes cannot be cut as {asked} asks, into {sizes}; expected 2 or more in the first step "
            "and 1 or more in each other one"
        )
    return ClassStream(place_K=order_K.argsort(), ends=tuple(torch.tensor(sizes).cumsum(0).tolist()))


def _even(num_items: int, num_parts: int) -> list[int]:
    return [num_items // num_parts + (part < num_items % num_parts) for part in range(num_parts)]
