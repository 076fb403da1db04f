"""Where a contrastive loss stands: what a model that knows nothing gets, and the least that any model can get.

Tasks print these beside the loss, because its plain value says nothing across batch sizes and temperatures. All
bounds assume unit embeddings, and that no two texts of the batch are equal unless said. Sweep files are checked with
these formulas, too: must not know torch.
"""

import math
from dataclasses import dataclass

KEPT_ROUNDING = 1e-6
"""Relative slack before rounding up, so that 0.07 of 100 is 7 although 0.07 * 100 > 7 in floating point."""


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
    check_batch(batch_size, positives_per_anchor)
    num_texts = batch_size / positives_per_anchor
    negatives = kept_negatives(batch_size - positives_per_anchor, hard_negative_ratio)

    def loss(gap: float) -> float:
        # ln(P + N e^x) without overflow for a large x, which a large margin over a small temperature gives.
        exponent = (margin - gap) / temperature + math.log(negatives)
        top = max(exponent, math.log(positives_per_anchor))
        return top + math.log(positives_per_anchor * math.exp(-top) + math.exp(exponent - top))

    return Bounds(chance=loss(0.0), floor=loss(num_texts / (num_texts - 1)))


def sup_con_bounds(batch_size: int, temperature: float, *, items_per_class: float) -> Bounds:
    """Bounds of `sup_con` for B / K classes of K items: ln(P + N exp(-gap / T)), P = K - 1, N = B - K.

    The gap is 0 at chance, which gives ln(B - 1), and C / (C - 1) at best, C = B / K.
    Exact for classes of equal size; with unequal ones the mean K gives an approximation.
    Raises: ValueError: an anchor would have no positive or no negative.
    """
    if not 1 < items_per_class < batch_size:
        raise ValueError(f"{items_per_class} items of each class in a batch of {batch_size}: need 1 < K < B")
    positives, negatives = items_per_class - 1, batch_size - items_per_class
    num_classes = batch_size / items_per_class
    floor = math.log(positives + negatives * math.exp(-num_classes / (num_classes - 1) / temperature))
    return Bounds(chance=math.log(positives + negatives), floor=floor)


def simplex_distance(num_classes: float, *, euclidean: bool) -> float:
    """The largest distance that all pairs of classes can have at once, for unit embeddings and cosine or 2-norm.

    It needs at least C - 1 dimensions for C classes.
    Raises: ValueError: fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"{num_classes:g} classes have no distance between them")
    cosine = num_classes / (num_classes - 1)
    return math.sqrt(2 * cosine) if euclidean else cosine


def kept_negatives(available: float, ratio: float) -> float:
    """`num_kept` of `negatives` without tensors, for a mean number of negatives as well; a ratio of 1 keeps all."""
    return max(1.0, float(math.ceil(available * ratio * (1 - KEPT_ROUNDING)))) if ratio < 1 else available


def check_batch(batch_size: int, positives_per_anchor: float) -> None:
    """Raises: ValueError: an anchor would have no negative."""
    if batch_size <= positives_per_anchor:
        raise ValueError(f"a batch of {batch_size} with {positives_per_anchor} positives per anchor has no negatives")
