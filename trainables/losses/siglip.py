"""SigLIP: each pair of the batch is its own yes-or-no question; with a margin and a hard-negative ratio."""

import math
from collections.abc import Callable

from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.bounds import Bounds, check_batch, kept_negatives
from trainables.losses.negatives import hardest_negatives
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask


def siglip_loss(
    video_BD: Tensor,
    text_BD: Tensor,
    *,
    scale: Scalar,
    bias: Scalar,
    margin: Scalar = 0.0,
    hard_negative_ratio: Scalar = 1.0,
    equivalent_BB: Tensor | None = None,
) -> Tensor:
    """Tell matched pairs from unmatched ones.

    With a ratio below 1 a negative counts half for being among its row's hardest and half for its column's, so the
    loss stays symmetric in its inputs.

    Returns a scalar in float32 or wider: the sum over columns, the mean over B rows (not over all pairs).

    Args:
        video_BD: B pairs, D = embedding size, rows L2-normalised; row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        scale: > 0, multiplies the cosine; the paper starts at 10, the reciprocal of temperature 0.1.
        bias: added to each logit; the paper starts at -10. With 0 the B - 1 negatives swamp the positive at first.
        margin: >= 0, subtracted from the cosine of the matched pair.
        hard_negative_ratio: in (0, 1], the share of each anchor's negatives, hardest first, that counts.
        equivalent_BB: bool, symmetric; pairs (i, j) with the same text are no negatives. The diagonal is ignored.

    Source: Zhai et al. 2023, arXiv:2303.15343, eq. 1 and algorithm 1.
    """
    similarity_BB = cosine_matrix(video_BD, text_BD)
    positive_BB = diagonal_mask(similarity_BB)
    negative_BB = ~positive_BB if equivalent_BB is None else ~(positive_BB | equivalent_BB)
    logits_BB = (similarity_BB - margin * positive_BB.to(similarity_BB.dtype)) * scale + bias

    by_row_BB = hardest_negatives(similarity_BB, negative_BB, ratio=hard_negative_ratio)
    by_column_BB = hardest_negatives(similarity_BB.mT, negative_BB.mT, ratio=hard_negative_ratio).mT
    weight_BB = (by_row_BB.to(logits_BB.dtype) + by_column_BB) / 2
    loss_BB = positive_BB * F.softplus(-logits_BB) + weight_BB * F.softplus(logits_BB)
    return loss_BB.sum(dim=-1).mean()


def siglip_bounds(
    batch_size: int, *, scale: float, bias: float, margin: float = 0.0, hard_negative_ratio: float = 1.0
) -> Bounds:
    """Bounds of `siglip_loss` for B pairs at this scale and bias.

    Unlike CLIP's, the loss of embeddings that are all equal depends on the angle between the two modalities. Chance
    is the best such angle: no model that ignores its input does better. At the paper's start the untrained loss is
    above it. The floor is the best of all arrangements, which trades the matched cosine against the others.
    """
    check_batch(batch_size, 1.0)
    negatives = kept_negatives(batch_size - 1, hard_negative_ratio)

    def loss(matched: float, others: float) -> float:
        return _softplus(-(scale * (matched - margin) + bias)) + negatives * _softplus(scale * others + bias)

    # Two sets of unit vectors reach exactly the mean cosines (matched, others) of a triangle with these corners and
    # what is worse than it, and the loss is convex there: each bound is a minimum over one edge.
    opposite, simplex = (-1.0, -1.0), (1.0, -1 / (batch_size - 1))
    return Bounds(
        chance=_lowest_between(loss, opposite, (1.0, 1.0)),
        floor=_lowest_between(loss, opposite, simplex),
    )


def _lowest_between(
    loss: Callable[[float, float], float], start: tuple[float, float], end: tuple[float, float]
) -> float:
    def at(share: float) -> float:
        return loss(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))

    inner = minimize_scalar(at, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    return min(at(0.0), at(1.0), float(inner.fun))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
