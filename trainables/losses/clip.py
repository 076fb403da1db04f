"""CLIP's symmetric InfoNCE, with an additive margin and a hard-negative ratio."""

import torch
from torch import Tensor

from trainables.losses.negatives import hardest_negatives
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask


def clip_loss(
    video_BD: Tensor,
    text_BD: Tensor,
    *,
    temperature: Scalar,
    margin: Scalar = 0.0,
    hard_negative_ratio: Scalar = 1.0,
    equivalent_BB: Tensor | None = None,
) -> Tensor:
    """Find the text of each video and the video of each text among the batch.

    An anchor that has no negative contributes 0.

    Returns a scalar, the mean of both directions over B anchors, in float32 or wider.

    Args:
        video_BD: B pairs, D = embedding size, rows L2-normalised; row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        temperature: > 0, divides the cosine (CLIP learns its logarithm and keeps it in [0.01, 1]).
        margin: >= 0, subtracted from the cosine of the matched pair before the division.
        hard_negative_ratio: in (0, 1], the share of each anchor's negatives, hardest first, in the denominator.
        equivalent_BB: bool, symmetric; pairs (i, j) with the same text are no negatives. The diagonal is ignored.

    Source: Radford et al. 2021, arXiv:2103.00020, fig. 3; margin: Wang et al. 2018, arXiv:1801.05599, eq. 5.
    """
    similarity_BB = cosine_matrix(video_BD, text_BD)
    positive_BB = diagonal_mask(similarity_BB)
    negative_BB = ~positive_BB if equivalent_BB is None else ~(positive_BB | equivalent_BB)
    logits_BB = (similarity_BB - margin * positive_BB.to(similarity_BB.dtype)) / temperature

    def one_direction(similarity_AN: Tensor, logits_AN: Tensor, negative_AN: Tensor) -> Tensor:
        kept_AN = hardest_negatives(similarity_AN, negative_AN, ratio=hard_negative_ratio)
        denominator_A = logits_AN.masked_fill(~(kept_AN | positive_BB), -torch.inf).logsumexp(dim=-1)
        return (denominator_A - logits_AN.diagonal(dim1=-2, dim2=-1)).mean()

    from_video = one_direction(similarity_BB, logits_BB, negative_BB)
    from_text = one_direction(similarity_BB.mT, logits_BB.mT, negative_BB.mT)
    return (from_video + from_text) / 2
