"""Distances over all pairs of a fixed set of items, not over the pairs that a loss happened to choose.

The loss's own intra and inter distance can improve while ranking gets worse: ranking depends on the nearest negatives,
which these numbers show. Tasks report both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DistanceSummary:
    """Over all pairs that the masks allow.

    Attributes:
        intra_distance: mean over positive pairs.
        inter_distance: mean over negative pairs.
        nearest_negative_distance: mean over anchors of the distance to the nearest negative.
        closer_positive_fraction: share of an anchor's positives that are nearer than its nearest negative, mean over
            anchors.
        nearest_neighbor_accuracy: share of anchors whose nearest positive is nearer than their nearest negative: the
            Rank@1 of these masks, ties counted as errors.
        num_anchors: items with a positive and a negative; the last three are means over these.
    """

    intra_distance: float
    inter_distance: float
    nearest_negative_distance: float
    closer_positive_fraction: float
    nearest_neighbor_accuracy: float
    num_anchors: int


def distance_summary(distance_NN: Tensor, *, positive_NN: Tensor, negative_NN: Tensor) -> DistanceSummary:
    """Sum up; a NaN distance makes the means it is in NaN, and never counts as near.

    Shapes: N items; bool masks, without the diagonal and without pairs of one recording.
    Raises: ValueError: no item has both a positive and a negative.
    """
    distance_NN = distance_NN.detach().double()
    anchor_N = positive_NN.any(dim=1) & negative_NN.any(dim=1)
    if not bool(anchor_N.any()):
        raise ValueError(f"none of the {len(anchor_N)} items has both a positive and a negative")
    distance_AN, positive_AN, negative_AN = distance_NN[anchor_N], positive_NN[anchor_N], negative_NN[anchor_N]
    nearest_A1 = distance_AN.masked_fill(~negative_AN, torch.inf).amin(dim=1, keepdim=True)
    closer_AN = positive_AN & (distance_AN < nearest_A1)
    return DistanceSummary(
        intra_distance=float(distance_NN[positive_NN].mean()),
        inter_distance=float(distance_NN[negative_NN].mean()),
        nearest_negative_distance=float(nearest_A1.mean()),
        closer_positive_fraction=float((closer_AN.sum(dim=1) / positive_AN.sum(dim=1)).mean()),
        nearest_neighbor_accuracy=float(closer_AN.any(dim=1).double().mean()),
        num_anchors=len(distance_AN),
    )
