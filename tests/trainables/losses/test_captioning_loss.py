import math

import pytest
import torch

from trainables.losses.captioning import captioning_loss

PAD = 0


def test_only_padding_gives_zero_and_no_nan():
    logits = torch.randn(2, 3, 5, requires_grad=True)
    loss = captioning_loss(logits, torch.full((2, 3), PAD), pad=PAD)
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad.abs().max() == 0.0


def test_the_mean_is_over_tokens_not_over_captions():
    logits = torch.zeros(2, 3, 4)
    logits[1, 0, 1] = 100.0
    target = torch.tensor([[1, 2, 3], [1, PAD, PAD]])
    assert captioning_loss(logits, target, pad=PAD).item() == pytest.approx(math.log(4) * 3 / 4)


def test_padding_gets_no_gradient():
    logits = torch.randn(1, 3, 5, requires_grad=True)
    captioning_loss(logits, torch.tensor([[2, PAD, 1]]), pad=PAD).backward()
    assert logits.grad[0, 1].abs().max() == 0.0
    assert logits.grad[0, 0].abs().max() > 0.0


def test_bfloat16_is_widened():
    logits, target = torch.randn(2, 3, 5).bfloat16(), torch.randint(1, 5, (2, 3))
    loss = captioning_loss(logits, target, pad=PAD)
    assert loss.dtype is torch.float32
    assert loss == captioning_loss(logits.float(), target, pad=PAD)
