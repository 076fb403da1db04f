"""Random changes to training pictures and videos that do not change what they show. Tasks call them on each batch."""

import torch
from torch import Tensor
from torch.nn import functional as F


def warp(videos_BTHW: Tensor, *, amount: float, generator: torch.Generator) -> Tensor:
    """Turn, stretch, shear and shift each video a little, all its frames alike; edges are continued outwards.

    Args:
        videos_BTHW: left as they are; for pictures T is the colour channel.
        amount: deviation of each entry of the affine map from that of the identity; a shift of 1 is half a picture.
        generator: on the CPU.
    """
    identity_23 = torch.eye(2, 3)
    maps_B23 = identity_23 + amount * torch.randn(len(videos_BTHW), 2, 3, generator=generator)
    grid = F.affine_grid(maps_B23.to(videos_BTHW), list(videos_BTHW.shape), align_corners=False)
    return F.grid_sample(videos_BTHW, grid, padding_mode="border", align_corners=False)
