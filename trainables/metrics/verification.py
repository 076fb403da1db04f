"""Verification: are two recordings of one person? AUC and EER over pairs.

Tasks report these beside the ranking. They do not stand in for it: a high AUC goes together with a Rank@1 near chance
when the gallery is large, because ranking depends on the few nearest impostors alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import auc, roc_curve
from torch import Tensor

from trainables.metrics.rows import Matrix

MAX_PAIRS = 2**25
"""Of more than these, a sample is scored: the pairs of evenly spaced items with all others. 8,192 items have fewer."""


@dataclass(frozen=True, slots=True)
class VerificationScores:
    """How well similarity tells genuine pairs from impostor pairs.

    Attributes:
        auc: probability that a genuine pair is more similar than an impostor pair; 0.5 is chance.
        eer: the error rate at the threshold where both kinds of error are equally frequent; 0.5 is chance.
        num_genuine: pairs of one class.
        num_impostor: pairs of two classes.
    """

    auc: float
    eer: float
    num_genuine: int
    num_impostor: int


def verification_scores(similarity_NN: Matrix, *, same_NN: Matrix, allowed_NN: Matrix) -> VerificationScores:
    """Score all allowed pairs, or those of as many evenly spaced items as `MAX_PAIRS` permits; the counts say how many.

    NaN where any of their similarities is NaN.

    Shapes: N items; the masks are bool and symmetric.

    Args:
        similarity_NN: higher is nearer; symmetric.
        same_NN: pairs of one class.
        allowed_NN: pairs to count: not those from one recording.

    Raises: ValueError: no genuine or no impostor pair is allowed.
    """
    item_A = _evenly_spaced(len(similarity_NN))
    counted_AN = allowed_NN[item_A] & _once(item_A, len(similarity_NN))
    genuine = same_NN[item_A][counted_AN].cpu().numpy()
    scores = similarity_NN[item_A].detach()[counted_AN].double().cpu().numpy()
    num_genuine = int(genuine.sum())
    num_impostor = len(genuine) - num_genuine
    if not num_genuine or not num_impostor:
        raise ValueError(f"{num_genuine} genuine and {num_impostor} impostor pairs: need at least 1 of each")
    if np.isnan(scores).any():
        return VerificationScores(np.nan, np.nan, num_genuine, num_impostor)
    false_accepts, true_accepts, _ = roc_curve(genuine, scores)
    # The two error rates cross between two points of the curve; it is linear between them.
    eer = np.interp(0.0, false_accepts + true_accepts - 1, false_accepts)
    return VerificationScores(float(auc(false_accepts, true_accepts)), float(eer), num_genuine, num_impostor)


def _evenly_spaced(num_items: int) -> Tensor:
    """Items whose pairs are scored: all, or as many as their pairs with all others are few enough of."""
    if num_items * (num_items - 1) // 2 <= MAX_PAIRS:
        return torch.arange(num_items)
    return torch.arange(0, num_items, -(-(num_items**2) // MAX_PAIRS))


def _once(item_A: Tensor, num_items: int) -> Tensor:
    """Each pair once, and no item with itself: with later items, and with the earlier ones that have no row."""
    other_N = torch.arange(num_items)
    has_row_N = torch.zeros(num_items, dtype=torch.bool)
    has_row_N[item_A] = True
    later_AN = other_N > item_A[:, None]
    return later_AN | ~has_row_N
