"""Distances over all pairs of a fixed set of items, not over the pairs that a loss happened to choose.

The loss's own intra and inter distance can improve while ranking gets worse: ranking depends on the nearest negatives,
which these numbers show. Tasks report both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.metrics.rows import Matrix, chunks


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


def distance_summary(distance_NN: Matrix, *, positive_NN: Matrix, negative_NN: Matrix) -> DistanceSummary:
    """Sum up; a NaN distance makes the means it is in NaN, and never counts as near.

    Shapes: N items; bool masks, without the diagonal and without pairs of one recording.
    Raises: ValueError: no item has both a positive and a negative.
    """
    positives, negatives = _Mean(), _Mean()
    nearest, closer_fraction, found = [], [], []
    for rows in chunks(distance_NN):
        distance_CN, positive_CN, negative_CN = (
            distance_NN[rows].detach().double(),
            positive_NN[rows],
            negative_NN[rows],
        )
        positives.add(distance_CN[positive_CN])
        negatives.add(distance_CN[negative_CN])
        anchor_C = positive_CN.any(dim=1) & negative_CN.any(dim=1)
        distance_AN, positive_AN, negative_AN = distance_CN[anchor_C], positive_CN[anchor_C], negative_CN[anchor_C]
        nearest_A1 = distance_AN.masked_fill(~negative_AN, torch.inf).amin(dim=1, keepdim=True)
        closer_AN = positive_AN & (distance_AN < nearest_A1)
        nearest.append(nearest_A1)
        closer_fraction.append(closer_AN.sum(dim=1) / positive_AN.sum(dim=1))
        found.append(closer_AN.any(dim=1).double())
    if not any(map(len, nearest)):
        raise ValueError(f"none of the {len(distance_NN)} items has both a positive and a negative")
    return DistanceSummary(
        intra_distance=positives.value,
        inter_distance=negatives.value,
        nearest_negative_distance=float(torch.cat(nearest).mean()),
        closer_positive_fraction=float(torch.cat(closer_fraction).mean()),
        nearest_neighbor_accuracy=float(torch.cat(found).mean()),
        num_anchors=sum(map(len, nearest)),
    )


class _Mean:
    """Of values that come a few at a time."""

    def __init__(self) -> None:
        self._total, self._num = 0.0, 0

    def add(self, values: Tensor) -> None:
        self._total += float(values.sum())
        self._num += len(values)

    @property
    def value(self) -> float:
        return self._total / self._num
