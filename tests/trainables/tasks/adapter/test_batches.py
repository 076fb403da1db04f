import pytest
import torch

from trainables.tasks.adapter.batches import heterogeneous_batches, homogeneous_batches, num_homogeneous_batches

LABELS = torch.tensor([0] * 9 + [1] * 4 + [2] * 3 + [5])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_heterogeneous_batches_are_full_and_hold_no_item_twice():
    batches = list(heterogeneous_batches(17, size=4, generator=generator()))
    assert [len(batch) for batch in batches] == [4, 4, 4, 4]
    assert len(set(torch.cat(batches).tolist())) == 16


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_homogeneous_batches_hold_one_class_and_leave_no_class_out(size):
    batches = list(homogeneous_batches(LABELS, size=size, generator=generator()))
    assert all(len(set(LABELS[batch].tolist())) == 1 for batch in batches)
    assert set(LABELS[torch.cat(batches)].tolist()) == {0, 1, 2, 5}
    places = torch.cat(batches).tolist()
    assert len(set(places)) == len(places)
    assert len(batches) == num_homogeneous_batches(LABELS, size=size)


def test_a_class_below_the_size_is_one_smaller_batch():
    sizes = sorted(len(batch) for batch in homogeneous_batches(LABELS, size=4, generator=generator()))
    assert sizes == [1, 3, 4, 4, 4]


def test_the_order_follows_from_the_generator():
    first, again, other = (list(homogeneous_batches(LABELS, size=2, generator=generator(s))) for s in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first, other, strict=True))
