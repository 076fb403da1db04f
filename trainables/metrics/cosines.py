"""How far matched pairs stand out from unmatched ones, in cosine; tasks report both, since one alone ranks wrongly."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.metrics.rows import Matrix, chunks, products


@dataclass(frozen=True, slots=True)
class MeanCosines:
    """Mean cosine of the pairs that belong together, and of those that do not (None where there are none)."""

    matched: float
    unmatched: float | None


def mean_cosines(video_BD: Tensor, text_BD: Tensor, *, equivalent_BB: Matrix | None = None) -> MeanCosines:
    """Mean cosine over matched pairs (i, i) and over all other pairs.

    Shapes: B pairs, D = embedding size, rows of any length above 0.

    Args:
        video_BD: row i of both inputs is one pair.
        text_BD: the other half of the pairs.
        equivalent_BB: bool; pairs with the same text, left out of the unmatched ones.
    """
    cosine_BB = products(*(F.normalize(x.detach().double(), dim=1) for x in (video_BD, text_BD)))
    matched, total, count = [], 0.0, 0
    for rows in chunks(cosine_BB):
        cosine_CB = cosine_BB[rows]
        matched.append(cosine_CB.diagonal(rows.start))
        unmatched_CB = torch.ones_like(cosine_CB, dtype=torch.bool)
        unmatched_CB.diagonal(rows.start).fill_(False)
        if equivalent_BB is not None:
            unmatched_CB &= ~equivalent_BB[rows]
        total += float((cosine_CB * unmatched_CB).sum())
        count += int(unmatched_CB.sum())
    return MeanCosines(matched=float(torch.cat(matched).mean()), unmatched=total / count if count else None)
