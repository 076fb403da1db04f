"""A small convolutional network from a picture to a unit embedding, with an optional linear classifier on top.

Shape suffixes: B items, C channels, H height, W width, D embedding size, K classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_MOST_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class ImageShape:
    """The pictures that a network is made for."""

    channels: int
    height: int
    width: int

    @property
    def num_blocks(self) -> int:
        """Each block halves height and width; four at most, and no fewer pixels than one are left."""
        return min(_MOST_BLOCKS, min(self.height, self.width).bit_length() - 1)


class ImageTrunk(nn.Sequential):
    """Blocks of convolution, batch norm and pooling; the first one has `width` channels, the others twice as many."""

    def __init__(self, shape: ImageShape, *, width: int) -> None:
        widths = [shape.channels, width, *[2 * width] * (shape.num_blocks - 1)]
        blocks = [_block(widths[i], widths[i + 1]) for i in range(shape.num_blocks)]
        super().__init__(*blocks, nn.Flatten())
        self.num_features = widths[-1] * (shape.height >> shape.num_blocks) * (shape.width >> shape.num_blocks)


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class ImageModel(nn.Module):
    """Trunk, projection to the embedding and, with `num_classes` above 0, a linear classifier of embeddings.

    Args:
        mean, deviation: of the training pixels; pictures are standardised with them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, trunk: ImageTrunk, *, embedding: int, num_classes: int, mean: float, deviation: float) -> None:
        super().__init__()
        self.trunk = trunk
        self.project = nn.Linear(trunk.num_features, embedding)
        self.head = nn.Linear(embedding, num_classes) if num_classes else None
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))

    def forward(self, pixels_BCHW: Tensor) -> Tensor:
        """Embeddings (B, D), L2-normalised."""
        features = self.trunk((pixels_BCHW - self.mean) / self.deviation)
        return F.normalize(self.project(features), dim=1)

    def classify(self, z_BD: Tensor, *, num_seen: int) -> Tensor:
        """Logits (B, num_seen) of the classes seen so far.

        Raises: ValueError: the model was built without a classifier.
        """
        if self.head is None:
            raise ValueError("this model has no linear classifier")
        return F.linear(z_BD, self.head.weight[:num_seen], self.head.bias[:num_seen])
