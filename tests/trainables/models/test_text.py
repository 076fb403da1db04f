"""Text encoder and caption decoder: padding, causality, and generation with remembered keys and values."""

import pytest
import torch

from trainables.models.text import CaptionDecoder, TextEncoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return TextEncoder(20, max_length=9, channels=16, layers=2, heads=2, embedding=6).eval()


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return CaptionDecoder(20, max_length=9, channels=16, layers=2, heads=2).eval()


def test_padding_does_not_change_an_embedding(encoder):
    short = torch.tensor([[1, 7, 8, 2]])
    padded = torch.tensor([[1, 7, 8, 2, 0, 0]])
    torch.testing.assert_close(encoder(short, pad=0), encoder(padded, pad=0))
    assert encoder(short, pad=0).norm().item() == pytest.approx(1)


def test_word_order_matters(encoder):
    assert not torch.allclose(
        encoder(torch.tensor([[1, 7, 8, 2]]), pad=0), encoder(torch.tensor([[1, 8, 7, 2]]), pad=0)
    )


def test_the_decoder_does_not_see_what_comes_later(decoder):
    video = torch.randn(1, 5, 16)
    first, second = torch.tensor([[1, 4, 5, 6]]), torch.tensor([[1, 4, 9, 9]])
    torch.testing.assert_close(decoder(first, video)[:, :2], decoder(second, video)[:, :2])


def test_the_decoder_looks_at_the_video(decoder):
    words = torch.tensor([[1, 4]])
    assert not torch.allclose(decoder(words, torch.randn(1, 5, 16)), decoder(words, torch.randn(1, 5, 16)))


def test_generation_equals_asking_for_the_likeliest_next_word_again_and_again(decoder):
    video = torch.randn(3, 5, 16)
    words = torch.full((3, 1), 1)
    for _ in range(7):
        words = torch.cat([words, decoder(words, video)[:, -1:].argmax(dim=-1)], dim=1)
    assert torch.equal(decoder.generate(video, begin=1, end=-1, max_tokens=7), words[:, 1:])


def test_generation_ends_when_all_have_ended_or_the_places_have(decoder):
    video = torch.randn(2, 5, 16)
    always_end = int(decoder.generate(video, begin=1, end=-1, max_tokens=1)[0, 0])
    assert decoder.generate(video[:1], begin=1, end=always_end, max_tokens=8).shape == (1, 1)
    assert decoder.generate(video, begin=1, end=-1, max_tokens=100).shape == (2, 9)
