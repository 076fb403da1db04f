"""What the regression losses promise beyond their values, which tests/numerics compares."""

import pytest
import torch

from trainables.losses.regression import (
    cosine_contrast_loss,
    distance_contrast_loss,
    mse_loss,
    squared_errors,
    weighted_mse_loss,
)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    predicted, target = (torch.randn(8, 4, generator=torch.Generator().manual_seed(s)).to(dtype) for s in (0, 1))
    labels = torch.arange(8) % 3
    losses = {
        "mse": lambda p, t: mse_loss(p, t),
        "weighted": lambda p, t: weighted_mse_loss(p, t, labels),
        "cosine": lambda p, t: cosine_contrast_loss(p, t, labels, temperature=0.1),
        "distance": lambda p, t: distance_contrast_loss(p, t, labels, temperature=0.1),
    }
    for loss in losses.values():
        assert loss(predicted, target).dtype is torch.float32
        torch.testing.assert_close(loss(predicted, target), loss(predicted.float(), target.float()))


def test_errors_are_means_over_dimensions():
    assert squared_errors(torch.zeros(2, 4), torch.tensor([[2.0, 0, 0, 0], [1, 1, 1, 1]])).tolist() == [1.0, 1.0]


def test_weights_change_nothing_in_a_balanced_batch():
    predicted, target = (torch.randn(8, 4, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    weighted = weighted_mse_loss(predicted, target, torch.arange(8) % 4)
    assert weighted.item() == pytest.approx(mse_loss(predicted, target).item(), rel=1e-6)


def test_a_rare_class_weighs_as_much_as_a_frequent_one():
    predicted, target = torch.zeros(5, 2), torch.zeros(5, 2)
    target[4] = 1.0
    labels = torch.tensor([0, 0, 0, 0, 1])
    assert mse_loss(predicted, target).item() == pytest.approx(0.2)
    assert weighted_mse_loss(predicted, target, labels).item() == pytest.approx(0.5)


def test_names_of_classes_cannot_reach_the_loss():
    with pytest.raises((TypeError, AttributeError)):
        weighted_mse_loss(torch.zeros(2, 2), torch.ones(2, 2), ["dog", "cat"])


@pytest.mark.parametrize("loss", [cosine_contrast_loss, distance_contrast_loss])
def test_further_items_of_a_class_do_not_make_the_choice_harder(loss):
    target = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
    predicted = torch.tensor([[0.9, 0.3], [0.1, 0.8], [0.7, 1.2]])
    once = loss(predicted, target, torch.arange(3), temperature=0.3)
    thrice = loss(predicted.repeat(3, 1), target.repeat(3, 1), torch.arange(3).repeat(3), temperature=0.3)
    torch.testing.assert_close(thrice, once)


def test_lengths_matter_to_the_distance_and_not_to_the_cosine():
    predicted, target = torch.tensor([[1.0, 0.2], [0.1, 1.0]]), torch.tensor([[1.0, 0], [0, 1]])
    labels = torch.arange(2)
    short, long = predicted, 5 * predicted
    assert cosine_contrast_loss(short, target, labels, temperature=0.1).item() == pytest.approx(
        cosine_contrast_loss(long, target, labels, temperature=0.1).item(), rel=1e-5
    )
    assert distance_contrast_loss(short, target, labels, temperature=0.1).item() != pytest.approx(
        distance_contrast_loss(long, target, labels, temperature=0.1).item(), rel=1e-2
    )
