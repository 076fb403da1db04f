"""What focal loss does to easy, hard and missing samples, and its bounds."""

import math

import pytest
import torch

from trainables.losses.focal import binary_focal_loss, focal_bounds, focal_factor, focal_loss


def test_the_note_s_two_factors():
    factors = focal_factor(torch.tensor([0.9, 0.1], dtype=torch.float64), gamma=2.0)
    assert factors.tolist() == pytest.approx([0.01, 0.81])


@pytest.mark.parametrize(("p", "factor"), [(0.9, 0.01), (0.1, 0.81)])
def test_the_factor_is_what_divides_the_loss_from_cross_entropy(p, factor):
    logit = torch.tensor([math.log(p / (1 - p))], dtype=torch.float64)
    found = binary_focal_loss(logit, torch.tensor([1]), gamma=2.0)
    assert found.item() == pytest.approx(-factor * math.log(p))


def test_more_focus_never_raises_a_loss():
    logits, target = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 4
    losses = [focal_loss(logits, target, gamma=gamma).item() for gamma in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert losses == sorted(losses, reverse=True)


def test_the_mean_is_over_the_samples_that_have_a_label():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 1, 2, -1, -1, -1])
    torch.testing.assert_close(focal_loss(logits, target, gamma=2.0), focal_loss(logits[:3], target[:3], gamma=2.0))


def test_chance_without_focus_is_the_entropy_of_the_labels():
    shares = [0.06, 0.77, 0.17]
    entropy = -sum(share * math.log(share) for share in shares)
    assert focal_bounds(shares, gamma=0.0).chance == pytest.approx(entropy, abs=1e-6)


def test_chance_is_the_least_loss_of_a_constant_prediction():
    shares, alpha = [0.05, 0.95], [4.0, 0.8]
    target = torch.tensor([0] * 5 + [1] * 95)
    scanned = [
        focal_loss(torch.tensor([[z, 0.0]]).expand(100, 2), target, gamma=2.0, alpha_C=torch.tensor(alpha)).item()
        for z in torch.linspace(-6, 6, 400).tolist()
    ]
    bounds = focal_bounds(shares, gamma=2.0, alpha=alpha)
    assert bounds.chance == pytest.approx(min(scanned), abs=1e-4)
    assert bounds.floor == 0.0


def test_a_single_class_has_nothing_to_learn():
    assert focal_bounds([0.0, 1.0], gamma=2.0).chance == 0.0
