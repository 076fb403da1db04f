"""Means over the terms of a pair loss that are still worth something, and the share of them; hinge losses use these."""

from typing import NamedTuple

from torch import Tensor


class MaskedLoss(NamedTuple):
    """A loss and the share of its terms that are active, both 0-d; the share carries no gradient."""

    loss: Tensor
    active_fraction: Tensor


def mean_over(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the values where the mask is True, 0 where it is nowhere; any shape, returns a scalar.

    Values outside of the mask must be finite.
    """
    return (values * mask).sum() / mask.sum().clamp(min=1)


def fraction_of(part: Tensor, whole: Tensor) -> Tensor:
    """Share of the True entries of `whole` that are in `part`, 0 where there are none; bool tensors of one shape."""
    return (part & whole).sum() / whole.sum().clamp(min=1)
