"""The loss that was taken for SigLIP: what it is, and where its gradient goes the wrong way."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.clip import clip_loss
from trainables.losses.gated_softmax import gated_softmax_bounds, gated_softmax_loss
from trainables.losses.siglip import siglip_loss


def test_it_is_the_symmetric_cross_entropy_of_gated_logits(pairs):
    video, text = pairs()
    logits = video @ text.T / 0.2
    gated = logits * logits.sigmoid()
    target = torch.arange(8)
    expected = (F.cross_entropy(gated, target) + F.cross_entropy(gated.T, target)) / 2
    assert torch.allclose(gated_softmax_loss(video, text, temperature=0.2), expected)


def test_it_is_neither_siglip_nor_clip(pairs):
    video, text = pairs()
    found = gated_softmax_loss(video, text, temperature=0.1)
    assert not torch.isclose(found, siglip_loss(video, text, scale=10.0, bias=-10.0), rtol=0.05)
    assert not torch.isclose(found, clip_loss(video, text, temperature=0.1), rtol=0.01)


def test_near_zero_it_is_half_as_steep_as_clip(pairs):
    gradients = []
    for loss in (clip_loss, gated_softmax_loss):
        video, text = (x.double().requires_grad_() for x in pairs())
        gradients.append(torch.autograd.grad(loss(video, text, temperature=1000.0), video)[0])
    torch.testing.assert_close(gradients[1], gradients[0] / 2, rtol=1e-2, atol=1e-7)


def test_a_negative_below_the_minimum_is_drawn_back():
    """At T = .1 a negative's cosine of -.5 gives s = -5: descent raises it, where CLIP's would lower it."""
    pulls = {}
    for loss in (clip_loss, gated_softmax_loss):
        cosine = torch.tensor(-0.5, requires_grad=True)
        video = torch.eye(2)
        text = torch.stack([torch.stack([torch.tensor(0.8), cosine]), torch.stack([cosine, torch.tensor(0.8)])])
        pulls[loss] = torch.autograd.grad(loss(video, text, temperature=0.1), cosine)[0].item()
    assert pulls[clip_loss] > 0 > pulls[gated_softmax_loss]


def test_equal_texts_are_no_negatives(pairs):
    video, text = pairs(4)
    everything = torch.ones(4, 4, dtype=torch.bool)
    loss = gated_softmax_loss(video, text, temperature=0.3, equivalent_BB=everything)
    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_note_002_s_range_is_half_of_clip_s():
    bounds = gated_softmax_bounds(20, 10.0)
    assert bounds.chance == pytest.approx(math.log(20))
    assert bounds.floor == pytest.approx(2.943, abs=1e-3)


def test_one_pair_has_no_bounds():
    with pytest.raises(ValueError, match="no negatives"):
        gated_softmax_bounds(1, 0.1)
