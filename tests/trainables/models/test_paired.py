"""The whole model: learned scalars, and pixels brought to one scale."""

import math

import pytest
import torch

from trainables.models.paired import Contrast, NetworkSizes, PairedModel
from trainables.models.video import VideoShape


def test_a_learned_temperature_is_brought_back_into_its_range():
    contrast = Contrast(temperature=0.5)
    assert contrast.log_temperature is not None
    contrast.log_temperature.data.fill_(math.log(30.0))
    temperature = contrast.clamp_temperature(0.01, 1.0)
    assert float(temperature.detach()) == pytest.approx(1.0)
    temperature.backward()
    assert contrast.log_temperature.grad is not None and contrast.log_temperature.grad != 0


def test_nothing_is_learned_unless_asked():
    assert list(Contrast().parameters()) == []
    assert len(list(Contrast(scale=10.0, bias=-10.0).parameters())) == 2


def test_reconstruction_and_standard_pixels():
    sizes = NetworkSizes(
        video=VideoShape(4, 16, 16),
        num_words=9,
        max_length=5,
        channels=16,
        embedding=8,
        heads=2,
        video_layers=1,
        text_layers=1,
        decoder_layers=1,
    )
    model = PairedModel(sizes, contrast=Contrast(), mean=0.7, deviation=0.1)
    standard = model.standardize(torch.full((2, 4, 16, 16), 0.8))
    assert standard.mean().item() == pytest.approx(1.0, rel=1e-4)
    hidden = torch.zeros(2, 8, dtype=torch.bool)
    assert model.reconstruct(standard, hidden).shape == model.trunk.boxes(standard).shape
