"""The signal encoder: unit embeddings of any window, blind to amplitude, aligned or not."""

import pytest
import torch

from trainables.models.signal import SignalEncoder, standardized


def encoder(*, aligned=True, num_samples=50, num_channels=2):
    torch.manual_seed(0)
    return SignalEncoder(num_channels=num_channels, num_samples=num_samples, width=4, embedding=6, aligned=aligned)


@pytest.mark.parametrize("num_samples", [8, 49, 50, 51, 175])
@pytest.mark.parametrize("aligned", [True, False])
def test_embeddings_have_length_one(num_samples, aligned):
    x_BCL = torch.randn(3, 2, num_samples)
    z_BE = encoder(aligned=aligned, num_samples=num_samples)(x_BCL)
    assert z_BE.shape == (3, 6)
    assert torch.allclose(z_BE.norm(dim=1), torch.ones(3))


def test_neither_amplitude_nor_level_matters():
    x_BCL = torch.randn(3, 2, 50)
    model = encoder()
    assert torch.allclose(model(x_BCL), model(7 * x_BCL + 3), atol=1e-5)


def test_only_an_aligned_one_knows_places():
    x_BCL = torch.zeros(1, 2, 80)
    x_BCL[..., 24:28] = 1
    later_BCL = x_BCL.roll(16, dims=-1)
    apart = [
        float((model(x_BCL) - model(later_BCL)).norm().detach())
        for model in (encoder(aligned=False, num_samples=80), encoder(num_samples=80))
    ]
    assert apart[0] < 0.1 < apart[1]


def test_a_constant_channel_is_harmless():
    x_BCL = torch.ones(2, 1, 30)
    assert torch.equal(standardized(x_BCL), torch.zeros(2, 1, 30))
    x_BCL.requires_grad_()
    model = encoder(num_channels=1, num_samples=30)
    model(x_BCL).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
