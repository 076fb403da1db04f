"""The bounds against what free embeddings reach when they are trained on the loss itself."""

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.bounds import clip_bounds, supcon_bounds
from trainables.losses.clip import clip_loss
from trainables.losses.gated_softmax import gated_softmax_bounds, gated_softmax_loss
from trainables.losses.siglip import siglip_bounds, siglip_loss
from trainables.losses.supcon import supcon_loss

BATCH, SIZE = 8, 10
PAIRED = torch.arange(BATCH)[:, None] // 2 == torch.arange(BATCH) // 2


def trained(loss):
    """The lowest value of a loss over 1,000 steps on embeddings that are parameters."""
    generator = torch.Generator().manual_seed(0)
    video, text = (torch.randn(BATCH, SIZE, generator=generator, dtype=torch.float64).requires_grad_() for _ in "vt")
    optimizer = torch.optim.Adam([video, text], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000)
    lowest = float("inf")
    for _ in range(1000):
        optimizer.zero_grad()
        value = loss(F.normalize(video, dim=1), F.normalize(text, dim=1))
        value.backward()
        optimizer.step()
        schedule.step()
        lowest = min(lowest, value.item())
    return lowest


@pytest.mark.parametrize(("temperature", "margin", "ratio"), [(0.5, 0.0, 1.0), (10.0, 0.0, 1.0), (0.5, 0.3, 0.5)])
def test_clip(temperature, margin, ratio):
    settings = {"margin": margin, "hard_negative_ratio": ratio}
    bounds = clip_bounds(BATCH, temperature, **settings)
    lowest = trained(lambda v, t: clip_loss(v, t, temperature=temperature, **settings))
    assert bounds.floor - 1e-9 <= lowest
    assert lowest == pytest.approx(bounds.floor, abs=2e-3)
    point = torch.ones(BATCH, 1, dtype=torch.float64)
    assert clip_loss(point, point, temperature=temperature, **settings).item() == pytest.approx(bounds.chance)


@pytest.mark.parametrize("temperature", [0.5, 10.0])
def test_gated_softmax(temperature):
    bounds = gated_softmax_bounds(BATCH, temperature)
    lowest = trained(lambda v, t: gated_softmax_loss(v, t, temperature=temperature))
    assert bounds.floor - 1e-9 <= lowest
    assert lowest == pytest.approx(bounds.floor, abs=2e-3)
    point = torch.ones(BATCH, 1, dtype=torch.float64)
    assert gated_softmax_loss(point, -point, temperature=temperature).item() == pytest.approx(bounds.chance)


@pytest.mark.parametrize(("margin", "ratio"), [(0.0, 1.0), (0.3, 0.5)])
def test_supcon(margin, ratio):
    settings = {"margin": margin, "hard_negative_ratio": ratio}
    bounds = supcon_bounds(BATCH, 0.5, positives_per_anchor=2, **settings)
    lowest = trained(lambda v, t: supcon_loss(v, t, positive_BB=PAIRED, temperature=0.5, **settings))
    assert bounds.floor - 1e-9 <= lowest
    assert lowest == pytest.approx(bounds.floor, abs=2e-3)
    point = torch.ones(BATCH, 1, dtype=torch.float64)
    loss = supcon_loss(point, point, positive_BB=PAIRED, temperature=0.5, **settings)
    assert loss.item() == pytest.approx(bounds.chance)


@pytest.mark.parametrize(
    ("scale", "bias", "margin", "ratio"),
    [(10.0, -10.0, 0.0, 1.0), (4.0, 0.0, 0.0, 1.0), (4.0, 3.0, 0.0, 1.0), (5.0, -2.0, 0.3, 0.5), (3.0, -8.0, 0.0, 1.0)],
)
def test_siglip(scale, bias, margin, ratio):
    settings = {"scale": scale, "bias": bias, "margin": margin, "hard_negative_ratio": ratio}
    bounds = siglip_bounds(BATCH, **settings)
    lowest = trained(lambda v, t: siglip_loss(v, t, **settings))
    assert bounds.floor - 1e-9 <= lowest
    assert lowest == pytest.approx(bounds.floor, abs=5e-3)


@pytest.mark.parametrize(("scale", "bias", "margin"), [(10.0, -10.0, 0.0), (4.0, 3.0, 0.0), (5.0, -2.0, 0.3)])
def test_siglip_chance_is_the_best_angle_between_two_points(scale, bias, margin):
    settings = {"scale": scale, "bias": bias, "margin": margin}
    angles = torch.linspace(0, torch.pi, 10_001, dtype=torch.float64)
    video = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(BATCH, 2)

    def loss(angle):
        text = torch.stack([angle.cos(), angle.sin()]).expand(BATCH, 2)
        return siglip_loss(video, text, **settings)

    best = torch.func.vmap(loss)(angles).min().item()
    assert siglip_bounds(BATCH, **settings).chance == pytest.approx(best, abs=1e-6)
