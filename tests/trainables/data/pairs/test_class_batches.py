"""Batches of several items of several classes: what they hold, what is left out, and that it is counted."""

import pytest
import torch

from trainables.data.pairs.class_batches import class_batches, num_class_batches, num_excluded

LABELS = torch.arange(10).repeat_interleave(7)
MAKE = {"batch_size": 12, "items_per_class": 3}


def drawn(labels, *, seed=0, **make):
    return list(class_batches(labels, generator=torch.Generator().manual_seed(seed), **(MAKE | make)))


def test_a_batch_holds_k_distinct_items_of_each_of_its_classes():
    for batch in drawn(LABELS)[:2]:
        assert len(batch.unique()) == 12
        assert sorted(LABELS[batch].bincount(minlength=10).tolist()) == [0] * 6 + [3] * 4


def test_an_epoch_has_each_item_at_most_once_and_full_batches_only():
    batches = drawn(LABELS)
    places = torch.cat(batches)
    assert len(places.unique()) == len(places)
    assert {len(batch) for batch in batches} == {12}
    # Two whole groups of each of 10 classes, four groups a batch.
    assert len(batches) == num_class_batches(LABELS, **MAKE) == 5


def test_what_is_left_over_changes_with_the_epoch():
    left = {tuple(sorted(set(range(70)) - set(torch.cat(drawn(LABELS, seed=seed)).tolist()))) for seed in range(3)}
    assert len(left) == 3


def test_classes_that_are_too_small_are_in_no_batch_and_counted():
    labels = torch.tensor([0, 0, 1, 2, 2, 2, 3, 3, 4])
    batches = drawn(labels, batch_size=4, items_per_class=2)
    assert not set(torch.cat(batches).tolist()) & {2, 8}
    assert num_excluded(labels, items_per_class=2) == 2
    assert num_excluded(labels, items_per_class=4) == 9
    assert num_class_batches(labels, batch_size=4, items_per_class=4) == 0


@pytest.mark.parametrize(
    "make", [MAKE, {"batch_size": 70, "items_per_class": 7}, {"batch_size": 8, "items_per_class": 8}]
)
def test_the_number_of_batches_is_what_comes(make):
    assert len(drawn(LABELS, **make)) == num_class_batches(LABELS, **make)
