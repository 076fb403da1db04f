"""Embedded items to mine from."""

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.distances import cosine_distance
from trainables.mining.pool import Items, Pool, negative_candidates, positive_candidates


@pytest.fixture
def items():
    """40 items of 8 people: 5 items each, from 3 recordings."""
    person, number = torch.arange(40) // 5, torch.arange(40) % 5
    return Items(person, person * 3 + number % 3, torch.arange(40))


@pytest.fixture
def embedded(items):
    """Unit embeddings that group loosely by person."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(8, 6, generator=generator, dtype=torch.float64)
    noise = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    return F.normalize(centres[items.labels_N] + noise, dim=1)


@pytest.fixture
def pool(items, embedded):
    """The items as their own candidates, for a global choice."""
    return Pool(
        positive_candidates(items, items),
        negative_candidates(items, items),
        distance_AN=cosine_distance(embedded, embedded),
        is_global=True,
    )


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
