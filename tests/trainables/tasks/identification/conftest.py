"""Small sets of records that the tests of the identification task share."""

import pytest
import torch

from trainables.data.recordings.recordings import RecordSet
from trainables.tasks.identification.embed import Records


def build(people, days, *, windows=4, channels=1, samples=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    num = len(people)
    return RecordSet(
        names=tuple(f"r{place}" for place in range(num)),
        person_R=torch.tensor(people),
        day_R=torch.tensor(days),
        windows_NCL=torch.randn(num * windows, channels, samples, generator=generator),
        begin_R1=torch.arange(num + 1) * windows,
    )


@pytest.fixture
def records():
    """Person 0 on two days, person 1 twice on one day, person 2 once."""
    return Records(build([0, 0, 0, 1, 1, 2], [0, 0, 1, 0, 0, 0]))


@pytest.fixture
def strangers():
    return Records(build([0, 0, 1, 1], [0, 1, 0, 1], seed=1))
