"""Triplet losses: each anchor should be nearer to its positive than to its negative, by a margin.

Three ways to choose the triplets of a batch (all, hardest, semi-hard); a choice made elsewhere enters as masks with
one positive and one negative a row. Without a margin (None) the hinge becomes its smooth form, ln(1 + exp).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.losses.active import MaskedLoss, fraction_of, mean_over
from trainables.losses.bounds import Bounds
from trainables.losses.similarity import Scalar


def triplet_loss(distance_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, margin: Scalar | None) -> MaskedLoss:
    """Batch-all: mean over the active ones of all triplets (anchor, positive, negative) that the masks allow.

    With a margin a triplet is active when its term is above 0. The soft form has no zero terms: its mean is over all
    triplets, and the active ones are those in the wrong order. Holds A x N x N numbers.

    Shapes: A anchors, N candidates; masks are bool. Returns scalars, 0 without triplets.
    Args: margin: > 0, in units of the distance.
    Source: Hermans et al. 2017, arXiv:1703.07737, sec. 2, "batch all", non-zero mean.
    """
    gap_APN = distance_AN.unsqueeze(-1) - distance_AN.unsqueeze(-2)
    triplet_APN = positive_AN.unsqueeze(-1) & negative_AN.unsqueeze(-2)
    term_APN, active_APN = _terms(gap_APN, margin)
    counted_APN = triplet_APN if margin is None else triplet_APN & active_APN
    return MaskedLoss(mean_over(term_APN, counted_APN), fraction_of(active_APN, triplet_APN))


def batch_hard_triplet_loss(
    distance_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, margin: Scalar | None
) -> MaskedLoss:
    """The farthest positive and the nearest negative of each anchor; mean over the anchors that have both.

    Equal embeddings give the margin exactly, or ln 2 for the soft form: a loss that stays there has collapsed.

    Shapes: A anchors, N candidates; masks are bool. Returns scalars, 0 without triplets.
    Args: margin: > 0, in units of the distance.
    Source: Hermans et al. 2017, arXiv:1703.07737, eq. 5.
    """
    has_both_A = positive_AN.any(dim=-1) & negative_AN.any(dim=-1)
    farthest_A = distance_AN.masked_fill(~positive_AN, -torch.inf).amax(dim=-1)
    nearest_A = distance_AN.masked_fill(~negative_AN, torch.inf).amin(dim=-1)
    gap_A = farthest_A.masked_fill(~has_both_A, 0.0) - nearest_A.masked_fill(~has_both_A, 0.0)
    term_A, active_A = _terms(gap_A, margin)
    return MaskedLoss(mean_over(term_A, has_both_A), fraction_of(active_A, has_both_A))


def semi_hard_triplet_loss(
    distance_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, margin: Scalar | None
) -> MaskedLoss:
    """Each positive with the nearest negative beyond it, or with the farthest one where none is; mean over positives.

    The positive that sets the window is the one in the triplet. Holds A x N x N numbers.

    Shapes: A anchors, N candidates; masks are bool. Returns scalars, 0 without triplets.
    Args: margin: > 0, in units of the distance.
    Source: Schroff et al. 2015, arXiv:1503.03832, eq. 4; the fallback is that of TensorFlow's implementation.
    """
    positive_APN, negative_APN = distance_AN.unsqueeze(-1), distance_AN.unsqueeze(-2)
    beyond_APN = negative_AN.unsqueeze(-2) & (negative_APN > positive_APN)
    nearest_beyond_AP = negative_APN.expand_as(beyond_APN).masked_fill(~beyond_APN, torch.inf).amin(dim=-1)
    farthest_A1 = distance_AN.masked_fill(~negative_AN, -torch.inf).amax(dim=-1, keepdim=True)
    chosen_AP = torch.where(beyond_APN.any(dim=-1), nearest_beyond_AP, farthest_A1)
    has_both_AP = positive_AN & negative_AN.any(dim=-1, keepdim=True)
    gap_AP = (distance_AN - chosen_AP.masked_fill(~has_both_AP, 0.0)).masked_fill(~has_both_AP, 0.0)
    term_AP, active_AP = _terms(gap_AP, margin)
    return MaskedLoss(mean_over(term_AP, has_both_AP), fraction_of(active_AP, has_both_AP))


def triplet_bounds(*, margin: float | None, reach: float) -> Bounds:
    """Chance: all distances equal. Floor: classes are points, as far apart as they can be.

    Chance is what a collapsed model gets; embeddings at random directions get more from the hard choices.
    Args: reach: `simplex_distance` of the classes in a batch.
    """
    if margin is None:
        return Bounds(chance=math.log(2), floor=math.log1p(math.exp(-reach)))
    return Bounds(chance=margin, floor=max(margin - reach, 0.0))


def _terms(gap: Tensor, margin: Scalar | None) -> tuple[Tensor, Tensor]:
    """Each triplet's loss, and whether it is active, from d(a, p) - d(a, n)."""
    if margin is None:
        return F.softplus(gap), gap >= 0
    term = F.relu(gap + margin)
    return term, term > 0
