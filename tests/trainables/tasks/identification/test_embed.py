"""Records as items: what an item is made of, and how a record is embedded."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from trainables.tasks.identification.choices import RecordEmbedding
from trainables.tasks.identification.config import Augment


class Flat(nn.Module):
    """Unit windows."""

    def forward(self, x_BCL):
        return F.normalize(x_BCL.flatten(1), dim=1)


def test_each_record_is_an_item_of_its_person(records):
    assert records.items.labels_N.tolist() == [0, 0, 0, 1, 1, 2]
    assert records.items.items_N.tolist() == records.items.recordings_N.tolist() == list(range(6))


@pytest.mark.parametrize("num", [1, 3, 4, 9])
def test_an_item_is_the_median_of_windows_of_the_record(records, num):
    augment, generator = Augment(windows_per_item=num), torch.Generator().manual_seed(0)
    drawn = records.draw(torch.tensor([3, 0]), augment, generator=generator)
    assert drawn.shape == (2, 1, 16)
    if num == 4:
        assert torch.equal(drawn, records.medians_RCL[[3, 0]])
    if num == 1:
        own = records.records.split()[3]
        assert any(torch.equal(drawn[0], window) for window in own)


def test_a_record_is_its_median_or_the_mean_of_its_windows(records):
    median = records.embed(Flat(), RecordEmbedding.MEDIAN, device="cpu")
    assert torch.allclose(median, Flat()(records.medians_RCL))
    mean = records.embed(Flat(), RecordEmbedding.MEAN, device="cpu")
    by_hand = torch.stack([Flat()(windows).mean(dim=0) for windows in records.records.split()])
    assert torch.allclose(mean, F.normalize(by_hand, dim=1), atol=1e-6)
