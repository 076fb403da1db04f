"""Random changes of windows: each setting does its own, and none does nothing."""

import pytest
import torch

from trainables.tasks.identification.augment import augmented
from trainables.tasks.identification.config import Augment

QUIET = {"shift_ms": 0.0, "stretch": 0.0, "wander": 0.0, "noise": 0.0}
PEAK = 20


def apply(x_BCL, **fields):
    return augmented(
        x_BCL,
        Augment(**QUIET | fields),
        peak=PEAK,
        rate_hz=250.0,
        generator=torch.Generator().manual_seed(0),
    )


@pytest.fixture
def bumps():
    """A peak at sample 20 and a wave at 60."""
    place_L = torch.arange(100.0)
    wave_L = torch.exp(-(((place_L - PEAK) / 2) ** 2)) + 0.5 * torch.exp(-(((place_L - 60) / 5) ** 2))
    return wave_L.expand(200, 2, 100).clone()


def test_nothing_asked_nothing_done(bumps):
    assert torch.equal(apply(bumps), bumps)


def test_a_shift_moves_both_channels_alike_and_no_farther_than_asked(bumps):
    moved = apply(bumps, shift_ms=20.0)
    peaks = moved[..., :40].argmax(dim=-1)
    assert torch.equal(peaks[:, 0], peaks[:, 1])
    assert peaks.min() >= 15
    assert peaks.max() <= 25
    assert len(peaks[:, 0].unique()) > 5


def test_a_stretch_keeps_the_peak_and_moves_what_comes_after(bumps):
    moved = apply(bumps, stretch=0.1)
    assert torch.allclose(moved[..., : PEAK + 1], bumps[..., : PEAK + 1])
    waves = 40 + moved[:, 0, 40:].argmax(dim=-1)
    assert waves.float().std() > 1


def test_wander_is_slow_and_noise_is_white(bumps):
    slow, white = apply(bumps, wander=1.0) - bumps, apply(bumps, noise=1.0) - bumps
    assert slow.diff(dim=-1).abs().mean() < 0.1 * slow.abs().mean()
    assert white.diff(dim=-1).abs().mean() > white.abs().mean()
    expected = bumps.std(dim=-1).mean()
    assert white.std() == pytest.approx(float(expected), rel=0.1)
