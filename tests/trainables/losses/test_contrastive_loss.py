import pytest
import torch

from trainables.losses.bounds import simplex_distance
from trainables.losses.contrastive import contrastive_bounds, contrastive_loss
from trainables.losses.distances import cosine_distance

PAIR = {
    "positive_AN": torch.tensor([[True, False, False]]),
    "negative_AN": torch.tensor([[False, True, True]]),
}
DISTANCE = torch.tensor([[0.5, 0.2, 0.9]], dtype=torch.float64)


@pytest.mark.parametrize(("squared", "expected"), [(False, 0.4 + 0.5), (True, 0.4**2 + 0.5**2)])
def test_one_anchor(squared, expected):
    result = contrastive_loss(DISTANCE, **PAIR, positive_margin=0.1, negative_margin=0.7, squared=squared)
    assert result.loss.item() == pytest.approx(expected)
    assert result.active_fraction.item() == 0.5


def test_negatives_beyond_the_margin_teach_nothing():
    distance = DISTANCE.clone().requires_grad_()
    loss, active = contrastive_loss(distance, **PAIR, negative_margin=0.1)
    gradient = torch.autograd.grad(loss, distance)[0]
    assert active == 0
    assert gradient.tolist() == [[1, 0, 0]]


def test_the_active_fraction_of_nothing_is_zero():
    none = torch.zeros(1, 3, dtype=torch.bool)
    result = contrastive_loss(DISTANCE, positive_AN=PAIR["positive_AN"], negative_AN=none, negative_margin=0.7)
    assert (result.loss.item(), result.active_fraction.item()) == (0.5, 0.0)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("margin", [0.6, 1.5])
def test_bounds_are_what_collapse_at_the_best_distance_and_a_simplex_get(squared, margin):
    settings = {"positive_margin": 0.2, "negative_margin": margin, "squared": squared}
    labels = torch.arange(12) // 3
    same = labels[:, None] == labels
    masks = {"positive_AN": same & ~torch.eye(12, dtype=torch.bool), "negative_AN": ~same}
    bounds = contrastive_bounds(reach=simplex_distance(4, euclidean=False), **settings)
    equal = [
        contrastive_loss(torch.full((12, 12), d), **masks, **settings).loss.item() for d in torch.linspace(0, 2, 41)
    ]
    assert min(equal) == pytest.approx(bounds.chance, abs=1e-3)
    corners = torch.eye(4, dtype=torch.float64) - 0.25
    z = (corners / corners.norm(dim=1, keepdim=True))[labels]
    assert contrastive_loss(cosine_distance(z, z), **masks, **settings).loss.item() == pytest.approx(bounds.floor)
