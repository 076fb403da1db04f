"""Multi-Similarity: its own mining of informative pairs, then soft weights among those."""

import math

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from trainables.losses.bounds import Bounds
from trainables.losses.similarity import Scalar


def multi_similarity_pairs(
    similarity_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor, epsilon: Scalar = 0.1
) -> tuple[Tensor, Tensor]:
    """Keep positives less similar than the anchor's hardest negative + epsilon, and the mirror image of that.

    An anchor without negatives keeps no positive, and the other way round. Carries no gradient.

    Shapes: A anchors, N candidates; returns (positives, negatives), bool subsets of the masks.
    Args: epsilon: >= 0, in cosine.
    Source: Wang et al. 2019, arXiv:1904.06627, eq. 7 and 8.
    """
    similarity_AN = similarity_AN.detach()
    hardest_positive_A1 = similarity_AN.masked_fill(~positive_AN, torch.inf).amin(dim=-1, keepdim=True)
    hardest_negative_A1 = similarity_AN.masked_fill(~negative_AN, -torch.inf).amax(dim=-1, keepdim=True)
    return (
        positive_AN & (similarity_AN - epsilon < hardest_negative_A1),
        negative_AN & (similarity_AN + epsilon > hardest_positive_A1),
    )


def multi_similarity_loss(
    similarity_AN: Tensor,
    *,
    positive_AN: Tensor,
    negative_AN: Tensor,
    alpha: Scalar = 2.0,
    beta: Scalar = 50.0,
    base: Scalar = 0.5,
) -> Tensor:
    """1/alpha ln(1 + sum over P of exp(-alpha (s - base))) + 1/beta ln(1 + sum over N of exp(beta (s - base))).

    Shapes: A anchors, N candidates; the masks are bool and come from `multi_similarity_pairs`, or are whole. Returns
    a scalar, the mean over all A anchors: one without pairs adds 0 and is counted, as in the paper.

    Args:
        similarity_AN: cosines.
        positive_AN: pairs of one class, without the anchor itself.
        negative_AN: pairs of two classes.
        alpha: > 0, sharpness among positives. The best value differs widely between data sets, and so does beta's.
        beta: > 0, sharpness among negatives.
        base: the cosine that separates positives from negatives.

    Source: Wang et al. 2019, arXiv:1904.06627, eq. 10.
    """
    positive_A = _log_one_plus_sum_exp(-alpha * (similarity_AN - base), positive_AN) / alpha
    negative_A = _log_one_plus_sum_exp(beta * (similarity_AN - base), negative_AN) / beta
    return (positive_A + negative_A).mean()


def multi_similarity_bounds(
    *,
    num_positives: float,
    num_negatives: float,
    num_classes: int,
    mined: bool,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
) -> Bounds:
    """Chance: all cosines equal, at the best value. Floor: positives at 1, negatives at -1 / (C - 1).

    Args:
        num_positives: per anchor, as is `num_negatives`; means where they differ.
        num_negatives: candidates, before mining.
        num_classes: C.
        mined: whether `multi_similarity_pairs` comes first. It leaves no pair of the best arrangement, so that the
            floor is 0, and all pairs where cosines are equal.
        alpha: as in the loss, like the rest.
        beta: see there.
        base: see there.
    """
    if num_classes < 2:
        raise ValueError(f"{num_classes} classes have no negatives")

    def loss(positive: float, negative: float) -> float:
        pull = math.log1p(num_positives * math.exp(-alpha * (positive - base))) / alpha
        return pull + math.log1p(num_negatives * math.exp(beta * (negative - base))) / beta

    same = minimize_scalar(lambda s: loss(s, s), bounds=(-1.0, 1.0), method="bounded", options={"xatol": 1e-9})
    floor = 0.0 if mined else loss(1.0, -1 / (num_classes - 1))
    return Bounds(chance=min(float(same.fun), loss(1.0, 1.0)), floor=floor)


def _log_one_plus_sum_exp(logits_AN: Tensor, mask_AN: Tensor) -> Tensor:
    """ln(1 + sum of exp over the mask) by row; the 1 is a logit of 0, which also keeps empty rows finite."""
    masked_AN = logits_AN.masked_fill(~mask_AN, -torch.inf)
    return torch.cat([masked_AN, torch.zeros_like(masked_AN[..., :1])], dim=-1).logsumexp(dim=-1)
