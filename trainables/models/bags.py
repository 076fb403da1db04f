"""A table whose rows are averaged in bags, also where several models are lanes of one computation.

The word encoder calls it. torch has no rule for bags under `vmap`: it would take one lane after the other.
Shape suffixes: R rows, W channels, N bags, P places of a bag, K lanes.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_MEAN = 1
"""torch's number for it."""


class MeanBags(nn.EmbeddingBag):
    """torch's bags with means, and row 0 as padding: equal to the bit, outside of lanes."""

    def __init__(self, num_rows: int, width: int) -> None:
        super().__init__(num_rows, width, mode="mean", padding_idx=0)

    def forward(self, rows_NP: Tensor) -> Tensor:  # type: ignore[override]
        """Means (N, W) of the rows of each bag that are not padding; 0 where all are."""
        begins_N = torch.arange(0, rows_NP.numel(), rows_NP.shape[1], device=rows_NP.device)
        return _means(self.weight, rows_NP.flatten(), begins_N, 0)[0]


class _Means(torch.autograd.Function):
    """`torch.embedding_bag`, and all lanes at once as one long table."""

    @staticmethod
    def forward(weight_RW: Tensor, rows_M: Tensor, begins_N: Tensor, padding: int | None) -> tuple[Tensor, ...]:
        return torch.embedding_bag(weight_RW, rows_M, begins_N, False, _MEAN, False, None, False, padding)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:  # noqa: ANN401
        weight_RW, rows_M, begins_N, padding = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(rows_M, begins_N, *output[1:])
        ctx.num_rows, ctx.padding = len(weight_RW), -1 if padding is None else padding

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_NW: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        grad_RW = torch.ops.aten._embedding_bag_backward(
            grad_NW.contiguous(), *ctx.saved_tensors, ctx.num_rows, False, _MEAN, False, None, ctx.padding
        )
        return grad_RW, None, None, None

    @staticmethod
    def vmap(
        _info: object, _in_dims: object, weight_KRW: Tensor, rows_M: Tensor, begins_N: Tensor, padding: int
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        """The bags are the same in each lane. Padding is left out: it would have a row in each of them."""
        num_lanes, num_rows = weight_KRW.shape[:2]
        is_real_M = rows_M != padding
        real_L, before_M = rows_M[is_real_M], is_real_M.cumsum(0) - is_real_M.long()
        lane_K1 = torch.arange(num_lanes, device=rows_M.device)[:, None]
        found = _means(
            weight_KRW.flatten(0, 1),
            (real_L + num_rows * lane_K1).flatten(),
            (before_M[begins_N] + len(real_L) * lane_K1).flatten(),
            None,
        )
        return tuple(x.reshape(num_lanes, len(x) // num_lanes, *x.shape[1:]) for x in found), (0,) * len(found)


def _means(weight_RW: Tensor, rows_M: Tensor, begins_N: Tensor, padding: int | None) -> tuple[Tensor, ...]:
    found = _Means.apply(weight_RW, rows_M, begins_N, padding)  # type: ignore[no-untyped-call]
    return cast(tuple[Tensor, ...], found)
