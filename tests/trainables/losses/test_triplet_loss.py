import math

import pytest
import torch

from trainables.losses.bounds import simplex_distance
from trainables.losses.distances import cosine_distance, euclidean_distance
from trainables.losses.triplet import batch_hard_triplet_loss, semi_hard_triplet_loss, triplet_bounds, triplet_loss

LOSSES = [triplet_loss, batch_hard_triplet_loss, semi_hard_triplet_loss]
LABELS = torch.arange(12) // 3
SAME = LABELS[:, None] == LABELS
MASKS = {"positive_AN": SAME & ~torch.eye(12, dtype=torch.bool), "negative_AN": ~SAME}
# Positives at 0 and 1, negatives at 2 to 4.
ROW = {
    "positive_AN": torch.tensor([[True, True, False, False, False]]),
    "negative_AN": torch.tensor([[False, False, True, True, True]]),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("distance", [cosine_distance, euclidean_distance])
@pytest.mark.parametrize("margin", [0.2, None])
def test_collapsed_embeddings_give_the_margin_or_ln_2(loss, distance, margin):
    z = torch.ones(12, 4, dtype=torch.float64) / 2
    result = loss(distance(z, z), **MASKS, margin=margin)
    bounds = triplet_bounds(margin=margin, reach=simplex_distance(4, euclidean=False))
    assert bounds.chance == (margin or math.log(2))
    assert result.loss.item() == pytest.approx(bounds.chance)
    assert result.active_fraction == 1


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("margin", [0.2, 1.5, None])
def test_the_floor_is_what_a_simplex_of_classes_gets(loss, margin):
    corners = torch.eye(4, dtype=torch.float64) - 0.25
    z = (corners / corners.norm(dim=1, keepdim=True))[LABELS]
    bounds = triplet_bounds(margin=margin, reach=simplex_distance(4, euclidean=False))
    assert loss(cosine_distance(z, z), **MASKS, margin=margin).loss.item() == pytest.approx(bounds.floor)


def test_the_semi_hard_negative_belongs_to_its_own_positive():
    distance = torch.tensor([[0.3, 0.8, 0.5, 0.85, 1.5]])
    # 0.3 meets 0.5, and 0.8 meets 0.85; with the window of the first positive both would meet 0.5.
    result = semi_hard_triplet_loss(distance, **ROW, margin=0.25)
    assert result.loss.item() == pytest.approx((0.05 + 0.2) / 2)


def test_without_a_negative_beyond_it_takes_the_farthest_below():
    distance = torch.tensor([[1.8, 1.9, 0.5, 0.85, 1.5]])
    assert semi_hard_triplet_loss(distance, **ROW, margin=0.1).loss.item() == pytest.approx((0.4 + 0.5) / 2)


def test_batch_hard_takes_the_nearest_negative_and_the_farthest_positive():
    distance = torch.tensor([[0.3, 0.8, 0.5, 0.85, 1.5]])
    assert batch_hard_triplet_loss(distance, **ROW, margin=0.1).loss.item() == pytest.approx(0.4)


def test_batch_all_is_the_mean_over_active_triplets_and_tells_their_share():
    distance = torch.tensor([[0.3, 0.8, 0.5, 0.85, 1.5]])
    result = triplet_loss(distance, **ROW, margin=0.1)
    assert result.loss.item() == pytest.approx((0.4 + 0.05) / 2)
    assert result.active_fraction.item() == pytest.approx(2 / 6)


def test_anchors_without_a_positive_or_a_negative_do_not_count():
    distance = torch.tensor([[0.3, 0.8, 0.5, 0.85, 1.5]]).repeat(3, 1)
    nothing = torch.zeros(1, 5, dtype=torch.bool)
    masks = {
        "positive_AN": torch.cat([ROW["positive_AN"], nothing, ROW["positive_AN"]]),
        "negative_AN": torch.cat([ROW["negative_AN"], ROW["negative_AN"], nothing]),
    }
    for loss in LOSSES:
        torch.testing.assert_close(loss(distance, **masks, margin=0.2), loss(distance[:1], **ROW, margin=0.2))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_larger_margin_puts_no_triplet_to_rest(loss):
    distance = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))
    results = [loss(distance, **MASKS, margin=margin) for margin in (0.1, 0.3, 0.6)]
    fractions = [result.active_fraction.item() for result in results]
    assert fractions == sorted(fractions)
