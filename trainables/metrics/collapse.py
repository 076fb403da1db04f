"""Whether embeddings have collapsed: to a point (`resultant_length`, `mean_cosine`), or to few directions (the rest).

Tasks call these on the same validation items at each epoch. No single one suffices: with a little noise around one
point the centred effective rank looks healthy, and two opposite points have a resultant length of 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def resultant_length(z_ND: Tensor) -> float:
    """Norm of the mean unit vector: 1 when all rows point the same way, near 0 when they are spread evenly.

    Shapes: N embeddings of size D; rows are normalised here.
    """
    return float(F.normalize(z_ND.detach().double(), dim=1).mean(dim=0).norm())


def mean_cosine(z_ND: Tensor) -> float:
    """Mean cosine over all pairs of different rows. Says the same as `resultant_length`, on the scale of cosines.

    Shapes: N > 1 embeddings of size D; rows are normalised here.
    """
    num = len(z_ND)
    return (num**2 * resultant_length(z_ND) ** 2 - num) / (num * (num - 1))


def effective_rank(z_ND: Tensor, *, centred: bool) -> float:
    """Exponential of the entropy of the singular values divided by their sum.

    From 1 to min(N, D), and 0 for a zero matrix.
    Shapes: N embeddings of size D, taken as they are.
    Args: centred: subtract the mean embedding first. Uncentred values fall to 1 at point collapse, centred ones do not.
    Source: Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality", definition 1.
    """
    values_K = _singular_values(z_ND, centred=centred)
    if not bool(values_K.any()):
        return 0.0
    share_K = values_K / values_K.sum()
    return float(torch.special.entr(share_K).sum().exp())


def top_variance_fraction(z_ND: Tensor) -> float:
    """Share of the variance along the first principal axis; 1 when all rows lie on one line, 0 without variance.

    Shapes: N embeddings of size D, centred here.
    """
    variance_K = _singular_values(z_ND, centred=True).square()
    if not bool(variance_K.any()):
        return 0.0
    return float(variance_K[0] / variance_K.sum())


def _singular_values(z_ND: Tensor, *, centred: bool) -> Tensor:
    """In float64, where the mean of equal float32 rows is exact and centring leaves no rounding noise to rank."""
    z_ND = z_ND.detach().double()
    values_K: Tensor = torch.linalg.svdvals(z_ND - z_ND.mean(dim=0) if centred else z_ND)
    return values_K
