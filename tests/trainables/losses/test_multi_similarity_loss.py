import math

import pytest
import torch

from trainables.losses.multi_similarity import multi_similarity_bounds, multi_similarity_loss, multi_similarity_pairs

LABELS = torch.arange(12) // 3
SAME = LABELS[:, None] == LABELS
MASKS = {"positive_AN": SAME & ~torch.eye(12, dtype=torch.bool), "negative_AN": ~SAME}
ROW = {
    "positive_AN": torch.tensor([[True, True, False, False, False]]),
    "negative_AN": torch.tensor([[False, False, True, True, True]]),
}


def test_mining_keeps_pairs_that_are_out_of_order_or_nearly_so():
    cosines = torch.tensor([[0.9, 0.6, 0.7, 0.45, 0.55]])
    positive, negative = multi_similarity_pairs(cosines, **ROW, epsilon=0.1)
    # The hardest negative is 0.7, the hardest positive 0.6.
    assert positive.tolist() == [[False, True, False, False, False]]
    assert negative.tolist() == [[False, False, True, False, True]]


@pytest.mark.parametrize("missing", ["positive_AN", "negative_AN"])
def test_an_anchor_with_one_kind_of_candidates_keeps_no_pair(missing):
    masks = ROW | {missing: torch.zeros(1, 5, dtype=torch.bool)}
    positive, negative = multi_similarity_pairs(torch.rand(1, 5), **masks)
    assert not positive.any()
    assert not negative.any()


def test_one_anchor():
    cosines = torch.tensor([[0.9, 0.6, 0.7, 0.45, 0.55]], dtype=torch.float64)
    loss = multi_similarity_loss(cosines, **ROW, alpha=2.0, beta=10.0, base=0.5)
    pull = math.log(1 + math.exp(-0.8) + math.exp(-0.2)) / 2
    push = math.log(1 + math.exp(2) + math.exp(-0.5) + math.exp(0.5)) / 10
    assert loss.item() == pytest.approx(pull + push)


def test_a_sharp_beta_does_not_overflow():
    cosines = torch.ones(1, 5, requires_grad=True)
    loss = multi_similarity_loss(cosines, **ROW, beta=1000.0)
    assert loss.item() == pytest.approx(0.5 * math.log1p(2 * math.exp(-1)) + 0.5 + math.log(3) / 1000)
    assert torch.autograd.grad(loss, cosines)[0].isfinite().all()


@pytest.mark.parametrize("mined", [False, True])
def test_bounds_are_what_equal_cosines_at_best_and_a_simplex_of_classes_get(mined):
    def loss(cosines):
        masks = MASKS
        if mined:
            positive, negative = multi_similarity_pairs(cosines, **MASKS)
            masks = {"positive_AN": positive, "negative_AN": negative}
        return multi_similarity_loss(cosines, **masks).item()

    bounds = multi_similarity_bounds(num_positives=2, num_negatives=9, num_classes=4, mined=mined)
    at_best = min(loss(torch.full((12, 12), s, dtype=torch.float64)) for s in torch.linspace(-1, 1, 401).tolist())
    assert bounds.chance == pytest.approx(at_best, abs=1e-4)
    corners = torch.eye(4, dtype=torch.float64) - 0.25
    z = (corners / corners.norm(dim=1, keepdim=True))[LABELS]
    assert loss(z @ z.T) == pytest.approx(bounds.floor)


def test_bounds_need_two_classes():
    with pytest.raises(ValueError, match="1 classes have no negatives"):
        multi_similarity_bounds(num_positives=2, num_negatives=0, num_classes=1, mined=False)
