"""Herding by hand, and its edges."""

import pytest
import torch
from torch.nn import functional as F

from trainables.mining.exemplars import draw, herd


def test_each_choice_brings_the_running_mean_closest():
    z = F.normalize(torch.randn(20, 6, generator=torch.Generator().manual_seed(0)), dim=1).double()
    chosen: list[int] = []
    for _ in range(5):
        rest = [i for i in range(20) if i not in chosen]
        chosen.append(min(rest, key=lambda i: float((z.mean(0) - z[[*chosen, i]].mean(0)).norm())))
    assert herd(z, num=5).tolist() == chosen


@pytest.mark.parametrize("num", [3, 10])
def test_a_class_smaller_than_its_memory_is_kept_whole(num):
    assert sorted(herd(torch.randn(3, 2), num=num).tolist()) == [0, 1, 2]
    assert sorted(draw(3, num=num, generator=torch.Generator()).tolist()) == [0, 1, 2]


def test_a_memory_of_0_keeps_nothing():
    assert herd(torch.randn(3, 2), num=0).tolist() == []
    assert draw(3, num=0, generator=torch.Generator()).tolist() == []


def test_equal_items_are_taken_once_each():
    assert herd(torch.ones(4, 2), num=4).tolist() == [0, 1, 2, 3]


def test_random_exemplars_follow_the_generator():
    first, again, other = (draw(50, num=5, generator=torch.Generator().manual_seed(s)).tolist() for s in (1, 1, 2))
    assert first == again != other and len(set(first)) == 5
