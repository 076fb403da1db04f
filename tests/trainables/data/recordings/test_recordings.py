"""A split in windows: which windows are whose, medians, and random draws."""

import pytest
import torch

from trainables.data.recordings.recordings import RecordSet


@pytest.fixture
def records():
    return RecordSet(
        names=("a", "b", "c"),
        person_R=torch.tensor([0, 0, 1]),
        day_R=torch.tensor([0, 1, 0]),
        windows_NCL=torch.arange(10.0)[:, None, None].expand(10, 1, 4),
        begin_R1=torch.tensor([0, 5, 7, 10]),
    )


def test_windows_belong_to_records(records):
    assert records.record_N.tolist() == [0] * 5 + [1] * 2 + [2] * 3
    assert [len(part) for part in records.split()] == [5, 2, 3]


def test_medians(records):
    assert records.medians()[:, 0, 0].tolist() == [2.0, 5.0, 8.0]


def test_draws_are_distinct_windows_of_the_record_where_it_has_enough(records):
    asked = torch.tensor([0, 1, 2, 0])
    drawn = records.draw(asked, num=3, generator=torch.Generator().manual_seed(0))
    assert (records.record_N[drawn] == asked[:, None]).all()
    assert [len(set(row)) for row in drawn.tolist()] == [3, 2, 3, 3]


def test_every_window_is_drawn_now_and_then(records):
    generator = torch.Generator().manual_seed(0)
    drawn = records.draw(torch.zeros(200, dtype=torch.int64), num=1, generator=generator)
    counts = drawn.flatten().bincount(minlength=5)
    assert len(counts) == 5
    assert counts.min() > 20
