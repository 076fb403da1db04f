"""The cosine matrix under every contrastive loss, and the one place that fixes its precision."""

from typing import TypeAlias

import torch
from torch import Tensor

Scalar: TypeAlias = float | Tensor
"""A hyperparameter: a number, or a 0-d tensor when it is learned or differs between lanes of `vmap`."""


def cosine_matrix(rows_BD: Tensor, columns_BD: Tensor) -> Tensor:
    """All dot products of two sets of L2-normalised embeddings, in float32 or wider, also under autocast.

    Half precision is not enough: a bfloat16 cosine is off by 2e-3, which is 0.2 in a logit at temperature 0.01.

    Shapes: B = batch, D = embedding size; returns (B, B), entry (i, j) from row i and column j.
    """
    dtype = torch.promote_types(rows_BD.dtype, torch.float32)
    with torch.autocast(rows_BD.device.type, enabled=False):
        return rows_BD.to(dtype) @ columns_BD.to(dtype).mT


def diagonal_mask(matrix_BB: Tensor) -> Tensor:
    """True where row and column are the same item; bool (B, B) on the matrix's device."""
    return torch.eye(matrix_BB.shape[-1], dtype=torch.bool, device=matrix_BB.device)
