"""How far matched pairs stand out from unmatched ones, in cosine; tasks report both, since one alone ranks wrongly."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class MeanCosines:
    """Mean cosine of the pairs that belong together, and of those that do not (None where there are none)."""

    matched: float
    unmatched: float | None


def mean_cosines(video_BD: Tensor, text_BD: Tensor, *, equivalent_BB: Tensor | None = None) -> MeanCosines:
    """Mean cosine over matched pairs (i, i) and over all other pairs.

    Shapes: B pairs, D = embedding size, rows of any length above 0.

    Args:
        video_BD: row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        equivalent_BB: bool; pairs with the same text, left out of the unmatched ones.
    """
    cosine_BB = F.normalize(video_BD.detach().double(), dim=1) @ F.normalize(text_BD.detach().double(), dim=1).T
    unmatched_BB = ~torch.eye(len(cosine_BB), dtype=torch.bool, device=cosine_BB.device)
    if equivalent_BB is not None:
        unmatched_BB &= ~equivalent_BB
    count = int(unmatched_BB.sum())
    total = float((cosine_BB * unmatched_BB).sum())
    return MeanCosines(matched=float(cosine_BB.diagonal().mean()), unmatched=total / count if count else None)
