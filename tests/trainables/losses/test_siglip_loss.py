import math

import pytest
import torch

from trainables.losses.siglip import siglip_loss

START = {"scale": 10.0, "bias": -10.0}


def test_orthogonal_embeddings_at_the_start_of_the_paper():
    video, text = torch.eye(256)[:128], torch.eye(256)[128:]
    positive, negative = math.log1p(math.exp(10)), math.log1p(math.exp(-10))
    assert siglip_loss(video, text, **START).item() == pytest.approx(positive + 127 * negative, rel=1e-5)


def test_without_bias_the_negatives_swamp_the_positive():
    video, text = torch.eye(256)[:128], torch.eye(256)[128:]
    assert siglip_loss(video, text, scale=10.0, bias=0.0).item() == pytest.approx(128 * math.log(2), rel=1e-5)


def test_without_negatives_only_the_positive_is_left(pairs):
    video, text = (x.requires_grad_() for x in pairs())
    everything = torch.ones(8, 8, dtype=torch.bool)
    loss = siglip_loss(video, text, **START, hard_negative_ratio=0.5, equivalent_BB=everything)
    logits = (video * text).sum(dim=1) * 10 - 10
    assert torch.allclose(loss, torch.nn.functional.softplus(-logits).mean())
    assert all(g.isfinite().all() for g in torch.autograd.grad(loss, [video, text]))


def test_one_pair(pairs):
    video, text = pairs(1)
    expected = math.log1p(math.exp(-((video * text).sum().item() * 10 - 10)))
    assert siglip_loss(video, text, **START).item() == pytest.approx(expected)


def test_it_does_not_matter_which_modality_comes_first(pairs):
    video, text = pairs()
    assert torch.allclose(
        siglip_loss(video, text, **START, hard_negative_ratio=0.4),
        siglip_loss(text, video, **START, hard_negative_ratio=0.4),
    )


def test_a_larger_margin_never_lowers_it(pairs):
    losses = [siglip_loss(*pairs(), **START, margin=m).item() for m in (0.0, 0.1, 0.2, 0.5, 1.0)]
    assert losses == sorted(losses)


def test_a_smaller_ratio_never_raises_it(pairs):
    losses = [siglip_loss(*pairs(), **START, hard_negative_ratio=r).item() for r in (0.01, 0.2, 0.5, 0.9, 1.0)]
    assert losses == sorted(losses)
    assert losses[0] < losses[-1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(pairs, dtype):
    video, text = pairs(dtype=dtype)
    loss = siglip_loss(video, text, **START)
    assert loss.dtype is torch.float32
    assert loss.item() == siglip_loss(video.float(), text.float(), **START).item()


def test_scale_and_bias_get_gradients(pairs):
    scale, bias = torch.tensor(10.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    siglip_loss(*pairs(), scale=scale, bias=bias).backward()
    assert scale.grad != 0
    assert bias.grad != 0
