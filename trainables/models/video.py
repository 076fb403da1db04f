"""The video trunk: one token for each small box of the video, shared by all tasks, and one embedding of the whole.

Shape suffixes: B items, T frames, H height, W width of the frame; N tokens, C channels of a token, P pixels of a box.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.models.layers import Block

PATCH = 8
"""Height and width of a box in pixels; three convolutions of stride 2 make one token of it."""


@dataclass(frozen=True, slots=True)
class VideoShape:
    """The videos that a trunk is made for, and how they fall into boxes."""

    num_frames: int
    height: int
    width: int

    @property
    def frames_per_box(self) -> int:
        """Two neighbouring frames share a token, unless there is only one frame."""
        return min(2, self.num_frames)

    @property
    def grid(self) -> tuple[int, int, int]:
        """Boxes along time, height and width; an odd number of frames is padded by repeating the last one."""
        return (-(-self.num_frames // self.frames_per_box), self.height // PATCH, self.width // PATCH)

    @property
    def num_boxes(self) -> int:
        """Tokens of one video."""
        time, rows, columns = self.grid
        return time * rows * columns

    @property
    def box_pixels(self) -> int:
        """Pixels of one box, all its frames together."""
        return self.frames_per_box * PATCH * PATCH


def _light_stem(frames: int, channels: int) -> nn.Sequential:
    first, second = channels // 4, channels // 2
    return nn.Sequential(
        nn.Conv2d(frames, first, 3, stride=2, padding=1),
        nn.GELU(),
        nn.Conv2d(first, second, 3, stride=2, padding=1),
        nn.GELU(),
        nn.Conv2d(second, channels, 3, stride=2, padding=1),
    )


def _deep_stem(frames: int, channels: int) -> nn.Sequential:
    """Two normalised convolutions at each size: twice the cost, and far better on classes that were never seen."""
    half = channels // 2
    steps = ((frames, half, 2), (half, half, 1), (half, channels, 2), (channels, channels, 1))
    layers: list[nn.Module] = []
    for read, written, stride in steps:
        layers += [nn.Conv2d(read, written, 3, stride=stride, padding=1), nn.GroupNorm(8, written), nn.GELU()]
    return nn.Sequential(*layers, nn.Conv2d(channels, channels, 3, stride=2, padding=1))


class VideoTrunk(nn.Module):
    """Convolutions over each pair of frames, then transformer blocks over all boxes of the video."""

    def __init__(self, shape: VideoShape, *, channels: int, layers: int, heads: int, deep: bool = False) -> None:
        """Args: channels: a multiple of 16. deep: two normalised convolutions at each size, not one."""
        super().__init__()
        self.shape = shape
        self.stem = (_deep_stem if deep else _light_stem)(shape.frames_per_box, channels)
        self.position = nn.Parameter(0.1 * torch.randn(shape.num_boxes, channels))
        self.mask_token = nn.Parameter(0.1 * torch.randn(channels))
        self.blocks = nn.ModuleList(Block(channels, heads=heads) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)

    def forward(self, video_BTHW: Tensor, *, hidden_BN: Tensor | None = None) -> Tensor:
        """Tokens (B, N, C). Args: hidden_BN: bool, boxes whose pixels the trunk must not see."""
        boxes_BNP = self.boxes(video_BTHW)
        if hidden_BN is not None:
            boxes_BNP = boxes_BNP.masked_fill(hidden_BN[..., None], 0.0)
        tokens_BNC = self._embed(boxes_BNP) + self.position
        if hidden_BN is not None:
            tokens_BNC = tokens_BNC + hidden_BN[..., None] * self.mask_token
        for block in self.blocks:
            tokens_BNC = block(tokens_BNC)
        return self.norm(tokens_BNC)  # type: ignore[no-any-return]

    def boxes(self, video_BTHW: Tensor) -> Tensor:
        """The pixels of each box, (B, N, P)."""
        time, rows, columns = self.shape.grid
        padded = F.pad(video_BTHW, (0, 0, 0, 0, 0, time * self.shape.frames_per_box - video_BTHW.shape[1]), "replicate")
        split = padded.reshape(-1, time, self.shape.frames_per_box, rows, PATCH, columns, PATCH)
        return split.permute(0, 1, 3, 5, 2, 4, 6).flatten(4).flatten(1, 3)

    def _embed(self, boxes_BNP: Tensor) -> Tensor:
        """Back to pictures, where convolutions see over the edges of boxes, then one token for each box."""
        time, rows, columns = self.shape.grid
        split = boxes_BNP.reshape(-1, rows, columns, self.shape.frames_per_box, PATCH, PATCH)
        pictures = split.permute(0, 3, 1, 4, 2, 5).reshape(-1, self.shape.frames_per_box, rows * PATCH, columns * PATCH)
        features: Tensor = self.stem(pictures)
        return features.flatten(2).mT.reshape(-1, time * rows * columns, features.shape[1])


class VideoHead(nn.Module):
    """One unit embedding for a video: tokens are averaged over time, and where they lie is kept."""

    def __init__(self, shape: VideoShape, *, channels: int, embedding: int) -> None:
        super().__init__()
        self.grid = shape.grid
        self.project = nn.Linear(shape.grid[1] * shape.grid[2] * channels, embedding)

    def forward(self, tokens_BNC: Tensor) -> Tensor:
        """Embeddings (B, embedding), L2-normalised."""
        over_time = tokens_BNC.reshape(len(tokens_BNC), self.grid[0], -1).mean(dim=1)
        return F.normalize(self.project(over_time), dim=-1)
