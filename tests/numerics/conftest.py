"""Embeddings and labels to compute losses on."""

import pytest
import torch
from torch.nn import functional as F


@pytest.fixture
def batch():
    """Build (video, text, labels): unit embeddings of loosely matched pairs, and a text id for each pair."""

    def build(num: int = 9, size: int = 6, *, num_texts: int = 4, dtype: torch.dtype = torch.float64, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        video = torch.randn(num, size, generator=generator, dtype=torch.float64)
        text = video + torch.randn(num, size, generator=generator, dtype=torch.float64)
        labels = torch.randint(0, num_texts, (num,), generator=generator)
        return F.normalize(video, dim=1).to(dtype), F.normalize(text, dim=1).to(dtype), labels

    return build
