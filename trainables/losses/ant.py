"""ANT, "avoid non-essential tuning": push away only the negatives within a margin of the hardest one.

A negative j of anchor i violates by v_ij = s_ij - r_i + m, with s the cosine, r the reference (the hardest negative)
and m the margin, and is kept when v_ij > 0. So a LARGER margin keeps MORE negatives; 0 keeps none. `ant_form` names
the variants. Source: the loss of the code that note 003 describes (github.com/TiagoSanti/TagFex_CVPR2025).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.active import mean_over
from trainables.losses.ant_form import Aggregation, AntForm, Coverage, Reference
from trainables.losses.bounds import Bounds
from trainables.losses.negatives import hardest_negatives
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask


class AntPairs(NamedTuple):
    """The pairs that the loss looks at: cosines of A anchors with N candidates, and which of them are negatives."""

    similarity_AN: Tensor
    negative_AN: Tensor


def ant_pairs(z_VD: Tensor, groups_V: Tensor, *, form: AntForm) -> AntPairs:
    """The negatives of a batch of two views: pairs of different groups, so never an item with itself.

    Shapes: V = 2B rows, L2-normalised, D = embedding size; rows i and i + B are views of one item.
    Args: groups_V: class of each view, or, where views of one item are the only positives, its item.
    """
    chosen = slice(None, len(z_VD) // 2 if form.coverage is Coverage.FIRST_VIEW else None)
    similarity_AN = cosine_matrix(z_VD[chosen], z_VD[chosen])
    negative_AN = groups_V[chosen].unsqueeze(-1) != groups_V[chosen].unsqueeze(-2)
    if form.count_diagonal:
        itself_AN = diagonal_mask(similarity_AN)
        similarity_AN, negative_AN = similarity_AN.masked_fill(itself_AN, 0.0), negative_AN | itself_AN
    return AntPairs(similarity_AN, negative_AN)


def ant_violations(pairs: AntPairs, *, margin: Scalar, form: AntForm) -> Tensor:
    """Cosine - reference + margin, (A, N); only entries of negatives mean anything, all are finite."""
    masked_AN = pairs.similarity_AN.masked_fill(~pairs.negative_AN, -torch.inf)
    reference = masked_AN.amax(dim=-1, keepdim=True)
    if form.reference is Reference.GLOBAL:
        reference = reference.amax(dim=-2, keepdim=True)
    # Without a negative there is no reference either: 0 keeps the row finite.
    reference = reference.masked_fill(reference.isneginf(), 0.0)
    return pairs.similarity_AN - (reference if form.connected else reference.detach()) + margin


def ant_loss(pairs: AntPairs, *, margin: Scalar, form: AntForm, hard_negative_ratio: Scalar = 1.0) -> Tensor:
    """Aggregate the violations of each anchor; mean over the anchors that count, 0 where there are none.

    An anchor counts when it has a negative; for `kept_only` it must have a violation, whose sum would be empty.
    With a connected local reference the gradient of each row sums to 0: it lowers the loss by raising the reference.

    Args:
        pairs: from `ant_pairs`.
        margin: >= 0, in cosine.
        form: which variant.
        hard_negative_ratio: in (0, 1], the share of each anchor's negatives, hardest first, that is looked at; one at
            least.

    Returns a scalar in float32 or wider.
    """
    violation_AN = ant_violations(pairs, margin=margin, form=form)
    negative_AN = hardest_negatives(pairs.similarity_AN, pairs.negative_AN, ratio=hard_negative_ratio)
    match form.aggregation:
        case Aggregation.LOGSUMEXP:
            return _log_sum_exp(violation_AN.relu(), negative_AN)
        case Aggregation.TOPK:
            return _log_sum_exp(violation_AN.relu(), _hardest(pairs.similarity_AN, negative_AN, num=form.top))
        case Aggregation.KEPT_ONLY:
            return _log_sum_exp(violation_AN, negative_AN & (violation_AN > 0))
        case Aggregation.EXPM1:
            excess_A = (torch.expm1(violation_AN.relu()) * negative_AN).sum(dim=-1)
            return mean_over(excess_A.log1p(), negative_AN.any(dim=-1))
        case Aggregation.SOFTPLUS:
            return _mean_of_means(F.softplus(violation_AN / form.softness), negative_AN, negative_AN)
        case Aggregation.ACTIVE_ONLY:
            return _mean_of_means(violation_AN, negative_AN & (violation_AN > 0), negative_AN)


def ant_floor(pairs: AntPairs, *, form: AntForm, hard_negative_ratio: Scalar = 1.0) -> Tensor:
    """The loss of a batch in which nothing violates: mean ln(number of terms) where terms are counted, else 0.

    The loss can come close to it and says little by itself: 4.78 for 127 negatives and 7 in the last batch of 40.
    """
    negative_AN = hardest_negatives(pairs.similarity_AN, pairs.negative_AN, ratio=hard_negative_ratio)
    num_A = negative_AN.sum(dim=-1).to(pairs.similarity_AN.dtype)
    if form.aggregation is Aggregation.TOPK:
        num_A = num_A.clamp(max=form.top)
    elif form.aggregation is not Aggregation.LOGSUMEXP:
        num_A = torch.ones_like(num_A)
    return mean_over(num_A.clamp(min=1).log(), negative_AN.any(dim=-1))


def violation_rate(pairs: AntPairs, *, margin: Scalar, form: AntForm) -> Tensor:
    """Share of the negatives that are kept, v > 0; 0 where there are none. Carries no gradient."""
    violation_AN = ant_violations(pairs, margin=margin, form=form).detach()
    return mean_over((violation_AN > 0).to(violation_AN.dtype), pairs.negative_AN)


def ant_bounds(num_negatives: int, *, margin: float, form: AntForm) -> Bounds:
    """Floor where nothing violates, chance where all cosines are equal and everything violates by the margin.

    Args: num_negatives: of each anchor, after the hard-negative ratio.
    """
    match form.aggregation:
        case Aggregation.LOGSUMEXP | Aggregation.TOPK:
            counted = min(num_negatives, form.top) if form.aggregation is Aggregation.TOPK else num_negatives
            return Bounds(chance=math.log(counted) + margin, floor=math.log(counted))
        case Aggregation.KEPT_ONLY:
            return Bounds(chance=math.log(num_negatives) + margin, floor=0.0)
        case Aggregation.EXPM1:
            return Bounds(chance=math.log1p(num_negatives * math.expm1(margin)), floor=0.0)
        case Aggregation.SOFTPLUS:
            return Bounds(chance=math.log1p(math.exp(margin / form.softness)), floor=0.0)
        case Aggregation.ACTIVE_ONLY:
            return Bounds(chance=margin, floor=0.0)


def _log_sum_exp(terms_AN: Tensor, mask_AN: Tensor) -> Tensor:
    counts_A1 = mask_AN.any(dim=-1, keepdim=True)
    # Rows that do not count keep all their terms: an empty sum of exponentials has no finite gradient.
    sums_A = terms_AN.masked_fill(counts_A1 & ~mask_AN, -torch.inf).logsumexp(dim=-1)
    return mean_over(sums_A, counts_A1.squeeze(-1))


def _mean_of_means(terms_AN: Tensor, mask_AN: Tensor, negative_AN: Tensor) -> Tensor:
    means_A = (terms_AN * mask_AN).sum(dim=-1) / mask_AN.sum(dim=-1).clamp(min=1)
    return mean_over(means_A, negative_AN.any(dim=-1))


def _hardest(similarity_AN: Tensor, negative_AN: Tensor, *, num: int) -> Tensor:
    """The `num` most similar negatives of each row, all where there are fewer."""
    available_A1 = negative_AN.sum(dim=-1, keepdim=True)
    return hardest_negatives(similarity_AN, negative_AN, ratio=(num / available_A1.clamp(min=1)).clamp(max=1.0))
