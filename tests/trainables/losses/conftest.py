"""Embeddings to compute losses on."""

import pytest
import torch
from torch.nn import functional as F


@pytest.fixture
def pairs():
    """Build two sets of unit embeddings, row i of both being a loosely matched pair."""

    def build(num: int = 8, size: int = 5, *, dtype: torch.dtype = torch.float64, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        video = torch.randn(num, size, generator=generator, dtype=torch.float64)
        text = video + torch.randn(num, size, generator=generator, dtype=torch.float64)
        return F.normalize(video, dim=1).to(dtype), F.normalize(text, dim=1).to(dtype)

    return build
