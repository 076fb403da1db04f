import pytest
import torch

from trainables.mining.pool import Items
from trainables.mining.sampler import PKSampler, batch_composition
from trainables.mining.strategies import Sampling

# Classes of 2, 3, 4, 6 and 1 items; each item is a recording, but the 6 items of class 3 come from 2 recordings.
LABELS = torch.tensor([0] * 2 + [1] * 3 + [2] * 4 + [3] * 6 + [4])
RECORDINGS = torch.tensor([*range(9), 20, 20, 20, 20, 20, 21, 30])


def sampler(*, classes=2, items=3, sampling=Sampling.DISTINCT, batches=None):
    return PKSampler(
        LABELS,
        RECORDINGS,
        classes_per_batch=classes,
        items_per_class=items,
        sampling=sampling,
        batches_per_epoch=batches,
    )


def composition(batch):
    return batch_composition(Items(LABELS[batch], RECORDINGS[batch], batch))


def test_distinct_items_of_p_classes(generator):
    seen = set()
    for batch in sampler(batches=20).batches(generator):
        labels = LABELS[batch].tolist()
        assert len(set(batch.tolist())) == len(batch)
        assert len(set(labels)) == 2
        assert all(labels.count(label) == min(3, int((label == LABELS).sum())) for label in labels)
        assert composition(batch).distinct_items_fraction == 1.0
        assert composition(batch).anchors_without_positive_fraction == 0.0
        seen |= set(batch.tolist())
    assert seen == set(range(15))


def test_items_are_spread_over_recordings(generator):
    for batch in sampler(items=2, batches=20).batches(generator):
        assert len(set(RECORDINGS[batch].tolist())) == 4


def test_a_class_with_one_recording_is_excluded_and_counted():
    assert (sampler().num_classes, sampler().num_excluded_classes, sampler().num_excluded_items) == (4, 1, 1)
    one_recording = torch.zeros(4, dtype=torch.int64)
    labels, recordings = torch.cat([LABELS, one_recording + 5]), torch.cat([RECORDINGS, one_recording + 50])
    more = PKSampler(labels, recordings, classes_per_batch=2, items_per_class=2)
    assert (more.num_classes, more.num_excluded_classes, more.num_excluded_items) == (4, 2, 5)


def test_classes_take_turns(generator):
    drawn = [set(LABELS[batch].tolist()) for batch in sampler(batches=10).batches(generator)]
    assert len(drawn) == 10
    assert all(one | other == {0, 1, 2, 3} for one, other in zip(drawn[::2], drawn[1::2], strict=True))


def test_an_epoch_has_as_many_slots_as_there_are_items(generator):
    assert sampler().num_batches == len(list(sampler().batches(generator))) == 3
    assert sampler(batches=7).num_batches == 7


def test_the_same_seed_gives_the_same_batches():
    first, second = (
        [batch.tolist() for batch in sampler(batches=5).batches(torch.Generator().manual_seed(4))] for _ in range(2)
    )
    other = [batch.tolist() for batch in sampler(batches=5).batches(torch.Generator().manual_seed(5))]
    assert first == second != other


def test_with_replacement_plants_duplicates(generator):
    """2 items of a class fill 4 slots: positives at distance 0, as in pytorch-metric-learning's sampler."""
    labels, recordings = torch.arange(8) // 2, torch.arange(8)
    planted = PKSampler(labels, recordings, classes_per_batch=4, items_per_class=4, sampling=Sampling.WITH_REPLACEMENT)
    fractions, lonely = [], []
    for _ in range(20):
        for batch in planted.batches(generator):
            assert len(batch) == 16
            result = batch_composition(Items(labels[batch], recordings[batch], batch))
            fractions.append(result.distinct_items_fraction)
            lonely.append(result.anchors_without_positive_fraction)
    assert sum(fractions) / len(fractions) == pytest.approx(7.5 / 16, abs=0.04)
    assert 0 < sum(lonely) / len(lonely) < 0.3


def test_replacement_repeats_nothing_where_there_are_enough_items(generator):
    batches = sampler(items=2, sampling=Sampling.WITH_REPLACEMENT, batches=10).batches(generator)
    assert all(len(set(batch.tolist())) == 4 for batch in batches)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": 5}, "5 classes in a batch, but 4 have two recordings or more"),
        ({"items": 7}, "7 items of each class, but the largest classes have 6, 4, 3, 2 items"),
        ({"classes": 1}, "at least 2 x 2"),
        ({"items": 1}, "at least 2 x 2"),
    ],
)
def test_a_batch_that_the_data_can_not_fill_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sampler(**settings)


def test_no_class_with_two_recordings_is_refused():
    with pytest.raises(ValueError, match="but 0 have two recordings"):
        PKSampler(LABELS, LABELS, classes_per_batch=2, items_per_class=2)


def test_composition_of_a_batch():
    items = Items(
        torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 2, 2, 3]), torch.tensor([10, 11, 11, 12, 13, 14])
    )
    metrics = batch_composition(items).metrics()
    assert metrics == {
        "train/distinct_items_fraction": pytest.approx(5 / 6),
        "train/classes_per_batch": 3.0,
        "train/anchors_without_positive_fraction": 0.5,
        "train/positives_per_anchor": 0.5,
    }
