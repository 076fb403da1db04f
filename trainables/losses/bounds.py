"""Where a contrastive loss stands: what a model that knows nothing gets, and the least that any model can get.

Tasks print these beside the loss, because its plain value says nothing across batch sizes and temperatures. All
bounds assume unit embeddings, and that no two texts of the batch are equal unless said.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.optimize import minimize_scalar

from trainables.losses.negatives import num_kept


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range of one loss.

    Attributes:
        chance: the loss when all pairs look the same. A confident wrong model gets more.
        floor: the loss of the best arrangement of unit vectors, which needs at least B - 1 dimensions.
    """

    chance: float
    floor: float

    def position(self, loss: float) -> float:
        """Where `loss` lies: 0 at the floor, 1 at chance, above 1 when worse than chance."""
        return (loss - self.floor) / (self.chance - self.floor)


def clip_bounds(
    batch_size: int, temperature: float, *, margin: float = 0.0, hard_negative_ratio: float = 1.0
) -> Bounds:
    """Bounds of `clip_loss` for B pairs: ln B, and ln(1 + (B - 1) exp(-(1 + 1 / (B - 1)) / T)).

    A margin m is taken from the gap between the matched cosine and the others, which raises both: the exponent
    becomes (m - gap) / T, with gap 0 at chance. A ratio below 1 replaces B - 1 in front by the negatives that stay.
    """
    return supcon_bounds(batch_size, temperature, margin=margin, hard_negative_ratio=hard_negative_ratio)


def supcon_bounds(
    batch_size: int,
    temperature: float,
    *,
    positives_per_anchor: float = 1.0,
    margin: float = 0.0,
    hard_negative_ratio: float = 1.0,
) -> Bounds:
    """Bounds of `supcon_loss`: ln(P + N exp((m - gap) / T)), gap = 0 at chance and C / (C - 1) at best, C = B / P.

    Exact when each of the C texts occurs P times; with unequal counts the mean P gives an approximation.
    Args: positives_per_anchor: P, with the anchor's own text.
    """
    _check_batch(batch_size, positives_per_anchor)
    num_texts = batch_size / positives_per_anchor
    negatives = _num_negatives(batch_size - positives_per_anchor, hard_negative_ratio)

    def loss(gap: float) -> float:
        # ln(P + N e^x) without overflow for a large x, which a large margin over a small temperature gives.
        exponent = (margin - gap) / temperature + math.log(negatives)
        top = max(exponent, math.log(positives_per_anchor))
        return top + math.log(positives_per_anchor * math.exp(-top) + math.exp(exponent - top))

    return Bounds(chance=loss(0.0), floor=loss(num_texts / (num_texts - 1)))


def siglip_bounds(
    batch_size: int, *, scale: float, bias: float, margin: float = 0.0, hard_negative_ratio: float = 1.0
) -> Bounds:
    """Bounds of `siglip_loss` for B pairs at this scale and bias.

    Unlike CLIP's, the loss of embeddings that are all equal depends on the angle between the two modalities. Chance
    is the best such angle: no model that ignores its input does better. At the paper's start the untrained loss is
    above it. The floor is the best of all arrangements, which trades the matched cosine against the others.
    """
    _check_batch(batch_size, 1.0)
    negatives = _num_negatives(batch_size - 1, hard_negative_ratio)

    def loss(matched: float, others: float) -> float:
        return _softplus(-(scale * (matched - margin) + bias)) + negatives * _softplus(scale * others + bias)

    # Two sets of unit vectors reach exactly the mean cosines (matched, others) of a triangle with these corners and
    # what is worse than it, and the loss is convex there: each bound is a minimum over one edge.
    opposite, simplex = (-1.0, -1.0), (1.0, -1 / (batch_size - 1))
    return Bounds(
        chance=_lowest_between(loss, opposite, (1.0, 1.0)),
        floor=_lowest_between(loss, opposite, simplex),
    )


def _lowest_between(
    loss: Callable[[float, float], float], start: tuple[float, float], end: tuple[float, float]
) -> float:
    def at(share: float) -> float:
        return loss(start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))

    inner = minimize_scalar(at, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    return min(at(0.0), at(1.0), float(inner.fun))


def _num_negatives(available: float, ratio: float) -> float:
    return float(num_kept(torch.tensor(available, dtype=torch.float64), ratio=ratio)) if ratio < 1 else available


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _check_batch(batch_size: int, positives_per_anchor: float) -> None:
    if batch_size <= positives_per_anchor:
        raise ValueError(f"a batch of {batch_size} with {positives_per_anchor} positives per anchor has no negatives")
