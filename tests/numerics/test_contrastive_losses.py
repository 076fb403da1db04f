"""Each contrastive loss against loops over its definition, against a library, and under gradcheck and permutation."""

import pytest
import torch
from torch.nn import functional as F

from tests.numerics import naive_losses
from trainables.losses.clip import clip_loss
from trainables.losses.gated_softmax import gated_softmax_loss
from trainables.losses.siglip import siglip_loss
from trainables.losses.supcon import sup_con, supcon_loss

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
VARIANTS = [(0.0, 1.0), (0.3, 1.0), (0.0, 0.4), (0.2, 0.05)]


def same_text(labels):
    return labels[:, None] == labels


def losses(*, temperature=0.2, margin=0.1, ratio=0.5):
    """Every contrastive loss as a function of (video, text, labels)."""
    common = {"margin": margin, "hard_negative_ratio": ratio}
    return {
        "clip": lambda v, t, y: clip_loss(v, t, temperature=temperature, equivalent_BB=same_text(y), **common),
        "siglip": lambda v, t, y: siglip_loss(v, t, scale=8.0, bias=-6.0, equivalent_BB=same_text(y), **common),
        "supcon": lambda v, t, y: supcon_loss(v, t, positive_BB=same_text(y), temperature=temperature, **common),
        "sup_con": lambda v, _, y: sup_con(v, y, temperature=temperature),
        "gated_softmax": lambda v, t, y: gated_softmax_loss(v, t, temperature=temperature, equivalent_BB=same_text(y)),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("margin", "ratio"), VARIANTS)
@pytest.mark.parametrize(("num", "num_texts"), [(9, 4), (9, 1), (9, 1000), (1, 1), (2, 2)])
def test_against_loops(batch, dtype, margin, ratio, num, num_texts):
    video, text, labels = batch(num, num_texts=num_texts, dtype=dtype)
    same, cosines = same_text(labels).tolist(), (video.double() @ text.double().T).tolist()
    settings = {"margin": margin, "ratio": ratio}
    expected = {
        "clip": naive_losses.clip(cosines, same, temperature=0.2, **settings),
        "siglip": naive_losses.siglip(cosines, same, scale=8.0, bias=-6.0, **settings),
        "supcon": naive_losses.supcon(cosines, same, temperature=0.2, **settings),
        "sup_con": naive_losses.sup_con((video.double() @ video.double().T).tolist(), labels.tolist(), temperature=0.2),
        "gated_softmax": naive_losses.gated_softmax(cosines, same, temperature=0.2),
    }
    for name, loss in losses(**settings).items():
        result = loss(video, text, labels)
        assert result.dtype is dtype
        assert result.item() == pytest.approx(expected[name], rel=TOLERANCE[dtype], abs=TOLERANCE[dtype]), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [0.01, 0.1, 10.0])
def test_clip_against_cross_entropy(batch, dtype, temperature):
    video, text, labels = batch(16, dtype=dtype)
    excluded = same_text(labels) & ~torch.eye(16, dtype=torch.bool)
    logits = (video @ text.T / temperature).masked_fill(excluded, -torch.inf)
    target = torch.arange(16)
    expected = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    result = clip_loss(video, text, temperature=temperature, equivalent_BB=same_text(labels))
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_siglip_against_logsigmoid_of_signed_logits(batch, dtype):
    video, text, _ = batch(16, dtype=dtype)
    sign = 2 * torch.eye(16, dtype=dtype) - 1
    expected = -F.logsigmoid(sign * (10 * video @ text.T - 10)).sum() / 16
    torch.testing.assert_close(siglip_loss(video, text, scale=10.0, bias=-10.0), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("num_texts", [1, 4, 20, 100_000])
def test_single_view_supcon_against_pytorch_metric_learning(batch, dtype, num_texts):
    from pytorch_metric_learning.losses import SupConLoss

    video, _, labels = batch(32, num_texts=num_texts, dtype=dtype)
    oracle = SupConLoss(temperature=0.1)(video, labels)
    torch.testing.assert_close(sup_con(video, labels, temperature=0.1), oracle.to(dtype), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", losses())
def test_gradients_against_finite_differences(batch, name):
    video, text, labels = batch(7, num_texts=4)
    inputs = (video.requires_grad_(), text.requires_grad_())
    assert torch.autograd.gradcheck(lambda v, t: losses()[name](v, t, labels), inputs)


@pytest.mark.parametrize("name", losses())
def test_the_order_of_the_batch_does_not_matter(batch, name):
    video, text, labels = batch(12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    loss = losses()[name]
    torch.testing.assert_close(loss(video[order], text[order], labels[order]), loss(video, text, labels))


@pytest.mark.parametrize("name", losses())
def test_the_order_does_not_matter_with_tied_similarities(batch, name):
    video, text, labels = (x.repeat_interleave(2, dim=0) for x in batch(6, num_texts=1000))
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    loss = losses(ratio=0.3)[name]
    torch.testing.assert_close(loss(video[order], text[order], labels[order]), loss(video, text, labels))
