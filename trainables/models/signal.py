"""The encoder of one-dimensional signals: three strided convolutions and one linear layer to a unit embedding.

Shape suffixes: B items, C channels, L samples of a window, E embedding size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_GROUPS = 4
_KERNELS = (7, 5, 5)
_TINY = 1e-6


class SignalEncoder(nn.Module):
    """Embeds windows of a signal; the size of a window's signal does not matter, only its shape.

    Windows that are aligned, such as heartbeats with the R peak always at one place, keep their places in the last
    layer; those that are not are averaged over time.
    """

    def __init__(self, *, num_channels: int, num_samples: int, width: int, embedding: int, aligned: bool) -> None:
        """Args: width: channels after the first convolution, a multiple of 4; twice as many after the others."""
        super().__init__()
        self.aligned = aligned
        sizes = (num_channels, width, 2 * width, 2 * width)
        layers: list[nn.Module] = []
        for size_in, size_out, kernel in zip(sizes, sizes[1:], _KERNELS, strict=False):
            layers += [
                nn.Conv1d(size_in, size_out, kernel, stride=2, padding=kernel // 2),
                nn.GroupNorm(_GROUPS, size_out),
                nn.GELU(),
            ]
            num_samples = (num_samples + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        self.project = nn.Linear(2 * width * (num_samples if aligned else 1), embedding)

    def forward(self, x_BCL: Tensor) -> Tensor:
        """Embeddings (B, E), L2-normalised."""
        features: Tensor = self.convolutions(standardized(x_BCL))
        return F.normalize(self.project(features.flatten(1) if self.aligned else features.mean(dim=-1)), dim=-1)


def standardized(x_BCL: Tensor) -> Tensor:
    """Each channel of each window with mean 0 and deviation 1; a constant one becomes 0."""
    centred_BCL = x_BCL - x_BCL.mean(dim=-1, keepdim=True)
    deviation_BC1 = torch.sqrt(centred_BCL.square().mean(dim=-1, keepdim=True))
    return centred_BCL / deviation_BC1.clamp(min=_TINY)
