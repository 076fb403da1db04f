"""Supervised contrast (L_out): several positives per anchor, between two modalities or within one."""

import torch
from torch import Tensor

from trainables.losses.negatives import hardest_negatives
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask


def supcon_loss(
    video_BD: Tensor,
    text_BD: Tensor,
    *,
    positive_BB: Tensor,
    temperature: Scalar,
    margin: Scalar = 0.0,
    hard_negative_ratio: Scalar = 1.0,
) -> Tensor:
    """Contrast each video with all texts of the batch and each text with all videos.

    With the diagonal alone as positives this is `clip_loss`. An anchor without a negative contributes nothing.

    Returns a scalar in float32 or wider, the mean of both directions over the anchors that count.

    Args:
        video_BD: B pairs, D = embedding size, rows L2-normalised; row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        positive_BB: bool; True where the texts of i and j are equivalent. The diagonal is always added.
        temperature: > 0, divides the cosine.
        margin: >= 0, subtracted from the cosine of each positive pair before the division.
        hard_negative_ratio: in (0, 1], the share of each anchor's negatives, hardest first, in the denominator.

    Source: Khosla et al. 2020, arXiv:2004.11362, eq. 2, applied across modalities.
    """
    similarity_BB = cosine_matrix(video_BD, text_BD)
    positives_BB = positive_BB | diagonal_mask(similarity_BB)
    logits_BB = (similarity_BB - margin * positives_BB.to(similarity_BB.dtype)) / temperature

    def one_direction(similarity_AN: Tensor, logits_AN: Tensor, positive_AN: Tensor) -> Tensor:
        kept_AN = hardest_negatives(similarity_AN, ~positive_AN, ratio=hard_negative_ratio)
        return _l_out(logits_AN, positive_AN, kept_AN)

    from_video = one_direction(similarity_BB, logits_BB, positives_BB)
    from_text = one_direction(similarity_BB.mT, logits_BB.mT, positives_BB.mT)
    return (from_video + from_text) / 2


def sup_con(z_BD: Tensor, labels_B: Tensor, *, temperature: Scalar) -> Tensor:
    """Contrast each item with the other items of its batch; items with the same label attract.

    An anchor without a positive or without a negative contributes nothing; `anchors_without_positive` counts them.

    Shapes: B items, D = embedding size, rows L2-normalised; labels are integers. Returns a scalar in float32 or
    wider, the mean over the anchors that count; 0 where there are none. Embeddings that are all equal give ln(B - 1).
    Args: temperature: > 0, divides the cosine. The result is not rescaled by it.
    Source: Khosla et al. 2020, arXiv:2004.11362, eq. 2.
    """
    similarity_BB = cosine_matrix(z_BD, z_BD)
    same_BB = labels_B.unsqueeze(-1) == labels_B.unsqueeze(-2)
    return _l_out(similarity_BB / temperature, same_BB & ~diagonal_mask(similarity_BB), ~same_BB)


def masked_sup_con(similarity_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, temperature: Scalar) -> Tensor:
    """`sup_con` for any candidates and any pairs: what is in neither mask is left out of the denominator, too.

    Shapes: A anchors, N candidates (a batch, a memory); masks are bool. Returns a scalar, the mean over the anchors
    that have a positive and a negative; 0 where there are none.

    Args:
        similarity_AN: cosines.
        positive_AN: pairs of one class, without the anchor itself and without copies of it.
        negative_AN: pairs of two classes.
        temperature: > 0, divides the cosine.

    Source: Khosla et al. 2020, arXiv:2004.11362, eq. 2.
    """
    return _l_out(similarity_AN / temperature, positive_AN, negative_AN)


def anchors_without_positive(labels_B: Tensor) -> Tensor:
    """How many items of a batch share their label with no other one; a 0-d integer tensor."""
    same_BB = labels_B.unsqueeze(-1) == labels_B.unsqueeze(-2)
    return (same_BB.sum(dim=-1) == 1).sum()


def _l_out(logits_AN: Tensor, positive_AN: Tensor, negative_AN: Tensor) -> Tensor:
    """Mean over anchors of -1/|P| sum over p in P of log softmax, among positives and negatives."""
    counts_A1 = positive_AN.any(dim=-1, keepdim=True) & negative_AN.any(dim=-1, keepdim=True)
    # Rows that do not count keep all their terms: an empty sum of exponentials has no finite gradient.
    denominator_AN = positive_AN | negative_AN | ~counts_A1
    log_sum_A = logits_AN.masked_fill(~denominator_AN, -torch.inf).logsumexp(dim=-1)
    mean_positive_A = (logits_AN * positive_AN).sum(dim=-1) / positive_AN.sum(dim=-1).clamp(min=1)
    counts_A = counts_A1.squeeze(-1)
    return ((log_sum_A - mean_positive_A) * counts_A).sum() / counts_A.sum().clamp(min=1)
