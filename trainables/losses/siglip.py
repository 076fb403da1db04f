"""SigLIP: each pair of the batch is its own yes-or-no question; with a margin and a hard-negative ratio."""

from torch import Tensor
from torch.nn import functional as F

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
