"""A loss that was taken for SigLIP and is not: gated logits under CLIP's softmax. Kept for comparison only."""

import math

from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import Bounds
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask

_LEAST_AT = -1.2784645
"""Where s * sigmoid(s) is smallest."""


def gated_softmax_loss(
    video_BD: Tensor, text_BD: Tensor, *, temperature: Scalar, equivalent_BB: Tensor | None = None
) -> Tensor:
    """Cross entropy over `s * sigmoid(s)` in both directions, s = cosine / temperature.

    SigLIP asks of each pair alone whether it matches, and has a bias. This has neither: the sigmoid only bends CLIP's
    logits. They fall to -0.28 at s = -1.28 and rise again towards 0 below, so that a negative is no longer pushed
    away there but drawn back, and near s = 0 they are half as steep.

    Returns a scalar, the mean of both directions over B anchors, in float32 or wider.

    Args:
        video_BD: B pairs, D = embedding size, rows L2-normalised; row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        temperature: > 0, divides the cosine; nothing clamps it.
        equivalent_BB: bool, symmetric; pairs (i, j) with the same text are no negatives. The diagonal is ignored.

    Source: note 002's project, where a config key that is ignored calls it SigLIP.
    """
    logits_BB = F.silu(cosine_matrix(video_BD, text_BD) / temperature)
    positive_BB = diagonal_mask(logits_BB)
    if equivalent_BB is not None:
        logits_BB = logits_BB.masked_fill(equivalent_BB & ~positive_BB, -float("inf"))
    matched_B = logits_BB.diagonal(dim1=-2, dim2=-1)
    from_video, from_text = ((x.logsumexp(dim=-1) - matched_B).mean() for x in (logits_BB, logits_BB.mT))
    return (from_video + from_text) / 2


def gated_softmax_bounds(batch_size: int, temperature: float) -> Bounds:
    """Bounds for B pairs: ln B, and ln(1 + (B - 1) exp(f(others) - f(1 / T))) with f(s) = s * sigmoid(s).

    At best the others lie at -1 / ((B - 1) T), the mean cosine of a simplex over T, but not below the minimum of f.
    Raises: ValueError: fewer than two pairs.
    """
    if batch_size < 2:
        raise ValueError(f"a batch of {batch_size} has no negatives")
    others = max(-1 / ((batch_size - 1) * temperature), _LEAST_AT)
    gap = _gated(1 / temperature) - _gated(others)
    return Bounds(chance=math.log(batch_size), floor=math.log1p((batch_size - 1) * math.exp(-gap)))


def _gated(s: float) -> float:
    return s / (1 + math.exp(-s))
