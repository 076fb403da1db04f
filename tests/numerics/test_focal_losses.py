"""Focal loss and the learned task weights: against loops, a published formula, gradcheck, hard corners and vmap."""

import math

import pytest
import torch
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from trainables.losses.focal import binary_focal_loss, focal_gradient_norms, focal_loss
from trainables.losses.uncertainty import uncertainty_loss

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-11}
GAMMAS = [0.0, 0.5, 1.0, 2.0, 5.0]


def sample(num=12, classes=3, *, dtype=torch.float64, seed=0):
    """Logits, and targets of which some are missing."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(num, classes, generator=generator, dtype=torch.float64)
    return logits.to(dtype), torch.randint(-1, classes, (num,), generator=generator)


def naive(logits, target, *, gamma, alpha):
    terms = []
    for row, t in zip(logits.double().tolist(), target.tolist(), strict=True):
        if t >= 0:
            p = math.exp(row[t]) / sum(math.exp(z) for z in row)
            terms.append(-alpha[t] * (1 - p) ** gamma * math.log(p))
    return sum(terms) / len(terms) if terms else 0.0


def library_formula(logits, target, *, gamma, alpha):
    """What torchvision.ops.sigmoid_focal_loss computes with reduction "mean", one sample at a time."""
    total = 0.0
    for z, y in zip(logits.double().tolist(), target.tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        cross_entropy = -(y * math.log(p) + (1 - y) * math.log(1 - p))
        p_t = p * y + (1 - p) * (1 - y)
        term = cross_entropy * (1 - p_t) ** gamma
        total += term * (alpha * y + (1 - alpha) * (1 - y)) if alpha >= 0 else term
    return total / len(target)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_against_a_loop(dtype, gamma):
    logits, target = sample(dtype=dtype)
    alpha = [0.2, 1.0, 3.0]
    found = focal_loss(logits, target, gamma=gamma, alpha_C=torch.tensor(alpha))
    assert found.dtype is dtype
    assert found.item() == pytest.approx(naive(logits, target, gamma=gamma, alpha=alpha), rel=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("alpha", [0.25, 0.5, -1.0])
def test_binary_against_torchvision_s_formula(dtype, gamma, alpha):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 2, (20,), generator=generator)
    found = binary_focal_loss(logits.to(dtype), target, gamma=gamma, alpha=None if alpha < 0 else alpha)
    expected = library_formula(logits, target, gamma=gamma, alpha=alpha)
    assert found.item() == pytest.approx(expected, rel=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_focus_it_is_cross_entropy(dtype):
    logits, target = sample(dtype=dtype)
    expected = F.cross_entropy(logits, target, ignore_index=-1)
    torch.testing.assert_close(focal_loss(logits, target, gamma=0.0), expected)


def test_binary_is_the_same_as_two_classes():
    logits, target = sample(classes=2)
    margin = logits[:, 1] - logits[:, 0]
    two = focal_loss(logits, target, gamma=1.5, alpha_C=torch.tensor([0.3, 0.7]))
    torch.testing.assert_close(binary_focal_loss(margin, target, gamma=1.5, alpha=0.7), two)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_gradients_against_finite_differences(gamma):
    logits, target = sample(7)
    alpha = torch.tensor([0.2, 1.0, 3.0])
    assert torch.autograd.gradcheck(
        lambda z: focal_loss(z, target, gamma=gamma, alpha_C=alpha), logits.requires_grad_()
    )


def test_gamma_and_alpha_have_gradients():
    logits, target = sample()
    gamma = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    alpha = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda g, a: focal_loss(logits, target, gamma=g, alpha_C=a), (gamma, alpha))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("size", [50.0, 1000.0, 60_000.0])
def test_certain_predictions_right_and_wrong_stay_finite(dtype, gamma, size):
    logits = torch.tensor([[size, 0.0], [0.0, size]], dtype=dtype, requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0, 0]), gamma=gamma)
    loss.backward()
    assert loss.item() == pytest.approx(size / 2, rel=1e-3)
    assert logits.grad.isfinite().all()
    single = torch.tensor([size, -size], dtype=dtype, requires_grad=True)
    binary_focal_loss(single, torch.tensor([1, 1]), gamma=gamma).backward()
    assert single.grad.isfinite().all()


def test_a_batch_without_labels_has_loss_and_gradient_zero():
    logits = torch.full((4, 3), torch.inf).nan_to_num(posinf=3.0).requires_grad_()
    loss = focal_loss(logits, torch.full((4,), -1), gamma=2.0)
    loss.backward()
    assert loss.item() == 0.0
    assert (logits.grad == 0).all()


def test_the_order_does_not_matter():
    logits, target = sample()
    order = torch.randperm(len(target), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        focal_loss(logits[order], target[order], gamma=2.0), focal_loss(logits, target, gamma=2.0)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_gradient_norms_against_autograd(dtype, gamma):
    logits, target = sample(dtype=dtype)
    alpha = torch.tensor([0.2, 1.0, 3.0])
    found = focal_gradient_norms(logits, target, gamma=gamma, alpha_C=alpha)
    for i in range(len(target)):
        row = logits[i : i + 1].clone().requires_grad_()
        focal_loss(row, target[i : i + 1], gamma=gamma, alpha_C=alpha).backward()
        torch.testing.assert_close(found[i], row.grad.norm(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_gradient_norms_of_certain_predictions_are_finite(gamma):
    norms = focal_gradient_norms(torch.tensor([[1000.0, 0.0], [0.0, 1000.0]]), torch.tensor([0, 0]), gamma=gamma)
    assert norms.tolist() == pytest.approx([0.0, math.sqrt(2)], abs=1e-6)


LANES = 4
SETTINGS = {"gamma": torch.tensor([0.0, 0.5, 1.0, 3.0]), "alpha": torch.rand(LANES, 3) + 0.5}


def lane_loss(logits, settings, target):
    return focal_loss(logits, target, gamma=settings["gamma"], alpha_C=settings["alpha"])


def test_focal_loss_under_vmap():
    logits = torch.stack([sample(seed=i, dtype=torch.float32)[0] for i in range(LANES)])
    target = torch.stack([sample(seed=i)[1] for i in range(LANES)])
    target[0] = -1
    gradients, values = vmap(grad_and_value(lane_loss))(logits, SETTINGS, target)
    for lane in range(LANES):
        row = logits[lane].clone().requires_grad_()
        settings = {"gamma": float(SETTINGS["gamma"][lane]), "alpha": SETTINGS["alpha"][lane]}
        expected = lane_loss(row, settings, target[lane])
        expected.backward()
        torch.testing.assert_close(values[lane], expected.detach())
        torch.testing.assert_close(gradients[lane], row.grad)


def test_binary_focal_loss_under_vmap():
    logits = torch.randn(LANES, 9, generator=torch.Generator().manual_seed(0))
    target = torch.randint(-1, 2, (9,), generator=torch.Generator().manual_seed(1))
    gamma, alpha = SETTINGS["gamma"], torch.tensor([0.1, 0.25, 0.5, 0.9])
    values = vmap(lambda z, g, a: binary_focal_loss(z, target, gamma=g, alpha=a))(logits, gamma, alpha)
    for lane in range(LANES):
        expected = binary_focal_loss(logits[lane], target, gamma=float(gamma[lane]), alpha=float(alpha[lane]))
        torch.testing.assert_close(values[lane], expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_uncertainty_against_a_loop(dtype):
    losses, s = torch.tensor([0.7, 0.01, 2.0], dtype=dtype), torch.tensor([0.3, -1.0, 0.9], dtype=dtype)
    present = torch.tensor([True, False, True])
    expected = sum(
        value / (2 * math.exp(v)) + math.log(math.sqrt(math.exp(v)))
        for value, v, here in zip(losses.tolist(), s.tolist(), present.tolist(), strict=True)
        if here
    )
    assert uncertainty_loss(losses, s, present).item() == pytest.approx(expected, rel=TOLERANCE[dtype])


def test_uncertainty_gradients():
    losses = torch.tensor([0.7, 0.01, 2.0], dtype=torch.float64, requires_grad=True)
    s = torch.tensor([0.3, -1.0, 0.9], dtype=torch.float64, requires_grad=True)
    present = torch.tensor([True, False, True])
    assert torch.autograd.gradcheck(lambda a, b: uncertainty_loss(a, b, present), (losses, s))
    uncertainty_loss(losses, s, present).backward()
    assert losses.grad[1] == s.grad[1] == 0.0
    nothing = uncertainty_loss(losses, s, torch.zeros(3, dtype=torch.bool))
    assert nothing.item() == 0.0


def test_uncertainty_under_vmap():
    losses, s = torch.rand(LANES, 3), torch.randn(LANES, 3, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[True, True, True], [False] * 3, [True, False, True], [False, False, True]])
    gradients, values = vmap(grad_and_value(uncertainty_loss, argnums=1))(losses, s, present)
    for lane in range(LANES):
        row = s[lane].clone().requires_grad_()
        expected = uncertainty_loss(losses[lane], row, present[lane])
        expected.backward()
        torch.testing.assert_close(values[lane], expected.detach())
        torch.testing.assert_close(gradients[lane], row.grad)
