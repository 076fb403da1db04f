"""Which negatives an anchor is contrasted with: all of them, or only the hardest share."""

import torch
from torch import Tensor

from trainables.losses.bounds import KEPT_ROUNDING
from trainables.losses.similarity import Scalar


def num_kept(num_negatives: Tensor, *, ratio: Scalar) -> Tensor:
    """How many of an anchor's negatives stay: ceil(ratio * n), at least one. Any shape."""
    return torch.ceil(num_negatives * ratio * (1 - KEPT_ROUNDING)).clamp(min=1)


def hardest_negatives(similarity_AN: Tensor, negative_AN: Tensor, *, ratio: Scalar) -> Tensor:
    """Keep the most similar `num_kept` negatives of each row, one at least where there is one.

    Equal similarities are taken in column order. The choice itself carries no gradient.

    Shapes: A anchors, N candidates; returns bool (A, N), a subset of `negative_AN`.
    Args: ratio: in (0, 1]; 1 keeps all.
    """
    # Sorting costs more than the loss itself: plain losses skip it. A tensor is never looked at, see the package.
    if not isinstance(ratio, Tensor) and ratio == 1:
        return negative_AN
    score_AN = similarity_AN.detach().masked_fill(~negative_AN, -torch.inf)
    order_AN = score_AN.argsort(dim=-1, descending=True, stable=True)
    kept_A1 = num_kept(negative_AN.sum(dim=-1, keepdim=True), ratio=ratio)
    place_N = torch.arange(score_AN.shape[-1], device=score_AN.device)
    return negative_AN & torch.zeros_like(negative_AN).scatter(-1, order_AN, place_N < kept_A1)
