import math

import pytest
import torch

from trainables.metrics.distances import distance_summary

LABELS = torch.tensor([0, 0, 1, 1, 2])
SAME = LABELS[:, None] == LABELS
POSITIVE = SAME & ~torch.eye(5, dtype=torch.bool)


def summary(distance):
    return distance_summary(distance, positive_NN=POSITIVE, negative_NN=~SAME)


def test_points_on_a_line():
    x = torch.tensor([0.0, 1.0, 3.0, 7.0, 8.0])
    result = summary((x[:, None] - x).abs())
    assert result.num_anchors == 4
    assert result.intra_distance == pytest.approx((1 + 4) / 2)
    assert result.inter_distance == pytest.approx((3 + 7 + 8 + 2 + 6 + 7 + 5 + 1) / 8)
    assert result.nearest_negative_distance == pytest.approx((3 + 2 + 2 + 1) / 4)
    assert result.closer_positive_fraction == result.nearest_neighbor_accuracy == 0.5


def test_the_ratio_of_means_can_improve_while_neighbours_get_worse():
    """Source note 001's riddle: intra falls, inter rises, and fewer nearest neighbours are right."""
    before = torch.tensor([0.0, 1.0, 2.1, 3.1, 20.0])
    after = torch.tensor([0.0, 0.9, 0.8, 1.0, 60.0])
    first, second = (summary((x[:, None] - x).abs()) for x in (before, after))
    assert second.intra_distance < first.intra_distance
    assert second.inter_distance > first.inter_distance
    assert second.nearest_neighbor_accuracy < first.nearest_neighbor_accuracy


def test_constant_embeddings_get_no_credit():
    result = summary(torch.zeros(5, 5))
    assert result.closer_positive_fraction == result.nearest_neighbor_accuracy == 0.0


def test_nan_embeddings_get_no_credit():
    result = summary(torch.full((5, 5), torch.nan))
    assert result.closer_positive_fraction == result.nearest_neighbor_accuracy == 0.0
    assert math.isnan(result.intra_distance)
    assert math.isnan(result.nearest_negative_distance)


def test_no_anchor_with_both_is_refused():
    with pytest.raises(ValueError, match="none of the 5 items"):
        distance_summary(torch.zeros(5, 5), positive_NN=POSITIVE & False, negative_NN=~SAME)
