"""Captioning and masked modelling against loops over their definitions."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.captioning import captioning_loss
from trainables.losses.masked import masked_modeling_loss

DTYPES = [torch.float32, torch.float64]
PAD = 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_captioning(dtype):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 7, generator=generator, dtype=dtype)
    target = torch.randint(0, 7, (3, 5), generator=generator)
    assert (target == PAD).any()
    terms = []
    for row, tokens in zip(logits.tolist(), target.tolist(), strict=True):
        for scores, token in zip(row, tokens, strict=True):
            if token != PAD:
                terms.append(math.log(sum(math.exp(s) for s in scores)) - scores[token])
    loss = captioning_loss(logits, target, pad=PAD)
    assert loss.item() == pytest.approx(sum(terms) / len(terms), rel=1e-6)
    torch.testing.assert_close(loss, F.cross_entropy(logits.mT, target, ignore_index=PAD))


@pytest.mark.parametrize("dtype", DTYPES)
def test_masked_modeling(dtype):
    generator = torch.Generator().manual_seed(0)
    predicted = torch.randn(3, 5, 4, generator=generator, dtype=dtype)
    target = torch.randn(3, 5, 4, generator=generator, dtype=dtype)
    mask = torch.rand(3, 5, generator=generator) < 0.4
    loss = masked_modeling_loss(predicted, target, mask)
    errors = [
        sum((p - t) ** 2 for p, t in zip(predicted[b, n].tolist(), target[b, n].tolist(), strict=True)) / 4
        for b, n in mask.nonzero().tolist()
    ]
    assert loss.item() == pytest.approx(sum(errors) / len(errors), rel=1e-6)
    torch.testing.assert_close(loss, F.mse_loss(predicted[mask], target[mask]))


def test_gradients_against_finite_differences():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    token_targets, patch_targets = torch.tensor([[0, 1, PAD], [3, PAD, PAD]]), torch.zeros(2, 3, 4, dtype=torch.float64)
    mask = torch.tensor([[True, False, True], [False, False, True]])
    assert torch.autograd.gradcheck(lambda x: captioning_loss(x, token_targets, pad=PAD), logits)
    assert torch.autograd.gradcheck(lambda x: masked_modeling_loss(x, patch_targets, mask), logits)
