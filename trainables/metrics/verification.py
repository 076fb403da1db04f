"""Verification: are two recordings of one person? AUC and EER over pairs.

Tasks report these beside the ranking. They do not stand in for it: a high AUC goes together with a Rank@1 near chance
when the gallery is large, because ranking depends on the few nearest impostors alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import auc, roc_curve
from torch import Tensor


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


def verification_scores(similarity_NN: Tensor, *, same_NN: Tensor, allowed_NN: Tensor) -> VerificationScores:
    """Score all allowed pairs above the diagonal; NaN where any of their similarities is NaN.

    Shapes: N items; the masks are bool and symmetric.

    Args:
        similarity_NN: higher is nearer; symmetric.
        same_NN: pairs of one class.
        allowed_NN: pairs to count: not those from one recording.

    Raises: ValueError: no genuine or no impostor pair is allowed.
    """
    above_NN = torch.ones_like(allowed_NN).triu(diagonal=1) & allowed_NN
    genuine = same_NN[above_NN].cpu().numpy()
    scores = similarity_NN.detach()[above_NN].double().cpu().numpy()
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
