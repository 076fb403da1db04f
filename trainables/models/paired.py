"""All the networks of a video-and-text model, put together: one trunk, and a head for each thing it learns.

Shape suffixes: as in `video` and `text`; B items, N video tokens, C channels, P pixels of a box.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.models.text import CaptionDecoder, TextEncoder
from trainables.models.video import VideoHead, VideoShape, VideoTrunk


@dataclass(frozen=True, slots=True)
class NetworkSizes:
    """Sizes of all networks.

    Attributes:
        num_words: vocabulary.
        max_length: longest text in tokens.
        channels: of a token, in all of them.
        embedding: dimensions of the space that videos and texts share.
        heads: of every attention.
        deep_stem: of the video trunk.
    """

    video: VideoShape
    num_words: int
    max_length: int
    channels: int
    embedding: int
    heads: int
    video_layers: int
    text_layers: int
    decoder_layers: int
    deep_stem: bool = False


class PairedModel(nn.Module):
    """Video trunk with its heads, text encoder, caption decoder, and the learned scalars of the contrastive losses."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, sizes: NetworkSizes, *, contrast: "Contrast", mean: float, deviation: float) -> None:
        """Args: mean, deviation: of the training videos' pixels."""
        super().__init__()
        channels, heads = sizes.channels, sizes.heads
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.trunk = VideoTrunk(
            sizes.video, channels=channels, layers=sizes.video_layers, heads=heads, deep=sizes.deep_stem
        )
        self.video_head = VideoHead(sizes.video, channels=channels, embedding=sizes.embedding)
        self.patch_head = nn.Linear(channels, sizes.embedding)
        self.pixel_head = nn.Linear(channels, sizes.video.box_pixels)
        self.text = TextEncoder(
            sizes.num_words,
            max_length=sizes.max_length,
            channels=channels,
            layers=sizes.text_layers,
            heads=heads,
            embedding=sizes.embedding,
        )
        self.decoder = CaptionDecoder(
            sizes.num_words,
            max_length=sizes.max_length,
            channels=channels,
            layers=sizes.decoder_layers,
            heads=heads,
        )
        self.contrast = contrast

    def standardize(self, video_BTHW: Tensor) -> Tensor:
        """Pixels with mean 0 and deviation 1 over the training set."""
        return (video_BTHW - self.mean) / self.deviation

    def reconstruct(self, standard_BTHW: Tensor, hidden_BN: Tensor) -> Tensor:
        """The pixels of all boxes, (B, N, P), from the boxes that are not hidden."""
        return self.pixel_head(self.trunk(standard_BTHW, hidden_BN=hidden_BN))  # type: ignore[no-any-return]


class Contrast(nn.Module):
    """The learned scalars: CLIP's temperature, or SigLIP's scale and bias; without any when nothing is learned."""

    def __init__(
        self, *, temperature: float | None = None, scale: float | None = None, bias: float | None = None
    ) -> None:
        super().__init__()
        self.log_temperature = _scalar(None if temperature is None else math.log(temperature))
        self.log_scale = _scalar(None if scale is None else math.log(scale))
        self.bias = _scalar(bias)

    def clamp_temperature(self, low: float, high: float) -> Tensor:
        """The learned temperature after moving it into [low, high], where gradients reach it again."""
        assert self.log_temperature is not None
        with torch.no_grad():
            self.log_temperature.clamp_(math.log(low), math.log(high))
        return self.log_temperature.exp()


def _scalar(value: float | None) -> nn.Parameter | None:
    return None if value is None else nn.Parameter(torch.tensor(value))
