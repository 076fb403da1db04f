"""The picture network: sizes, unit length, the classifier."""

import pytest
import torch

from trainables.models.image import ImageModel, ImageShape, ImageTrunk


def model(shape, *, num_classes=0, mean=0.5, deviation=2.0):
    torch.manual_seed(0)
    return ImageModel(
        ImageTrunk(ImageShape(*shape), width=4), embedding=6, num_classes=num_classes, mean=mean, deviation=deviation
    )


@pytest.mark.parametrize(
    ("shape", "blocks"), [((1, 8, 8), 3), ((1, 28, 28), 4), ((3, 32, 32), 4), ((1, 5, 64), 2), ((3, 2, 2), 1)]
)
def test_any_size_gives_unit_embeddings(shape, blocks):
    assert ImageShape(*shape).num_blocks == blocks
    z = model(shape)(torch.rand(3, *shape))
    assert z.shape == (3, 6)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(3))


def test_pictures_are_standardised():
    pixels = torch.rand(4, 1, 8, 8)
    plain = model((1, 8, 8), mean=0.0, deviation=1.0)
    torch.testing.assert_close(model((1, 8, 8))(pixels), plain((pixels - 0.5) / 2.0))


def test_the_classifier_answers_for_the_classes_seen():
    network = model((1, 8, 8), num_classes=10)
    logits = network.classify(torch.randn(3, 6), num_seen=4)
    assert logits.shape == (3, 4)
    logits.sum().backward()
    assert not network.head.weight.grad[4:].any()


def test_without_a_classifier_there_is_nothing_to_ask():
    with pytest.raises(ValueError, match="no linear classifier"):
        model((1, 8, 8)).classify(torch.randn(3, 6), num_seen=2)
