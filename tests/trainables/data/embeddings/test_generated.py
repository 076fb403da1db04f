import pytest
import torch
from pydantic import ValidationError

from trainables.contract import Purpose
from trainables.data.embeddings.embeddings import EmbeddingData
from trainables.data.embeddings.generated import read_generated
from trainables.data.embeddings.load import load_embeddings, load_test_embeddings
from trainables.data.embeddings.sources import GeneratedEmbeddings
from trainables.data.errors import Split
from trainables.metrics.regression import target_geometry


def source(**fields):
    return GeneratedEmbeddings.model_validate({"dims": 64, "num_train": 80, "num_val": 40, "num_test": 30} | fields)


def test_shapes_and_sizes():
    items = read_generated(source(positions=3), Split.TRAIN)
    assert len(items) == 80
    assert items.inputs_NSI.shape == (80, 3, 64)
    assert {space: tuple(target.shape[1:]) for space, target in items.targets.items()} == {
        "clip": (1, 768),
        "t5": (4, 64),
    }
    assert items.inputs_NSI.dtype is items.targets["clip"].dtype is torch.float32


def test_class_targets_lie_at_the_chosen_distances_and_length():
    data = load_embeddings(source(num_classes=6))
    clip, t5 = (target_geometry(data.class_targets[space].flatten(1)) for space in ("clip", "t5"))
    assert 14 <= clip.distance_min < clip.distance_max <= 17
    assert 8 <= t5.distance_min < t5.distance_max <= 10
    mean_norm = float(data.class_targets["clip"].mean(dim=0).norm())
    assert mean_norm == pytest.approx(29.6, abs=0.3)


def test_without_variation_an_items_target_is_the_one_of_its_class():
    data = load_embeddings(source())
    torch.testing.assert_close(data.val.targets["clip"], data.class_targets["clip"][data.val.labels_N])


def test_variation_within_a_class_has_the_chosen_size_and_can_be_told_from_the_input():
    within = source(within_class=5.0, num_train=2000)
    items, plain = read_generated(within, Split.TRAIN), read_generated(source(num_train=2000), Split.TRAIN)
    moves = (items.targets["clip"] - plain.targets["clip"]).flatten(1)
    assert float(moves.square().sum(dim=1).mean().sqrt()) == pytest.approx(5.0, rel=0.05)
    design = torch.cat([items.inputs_NSI.flatten(1), torch.ones(2000, 1)], dim=1)
    fitted = design @ torch.linalg.lstsq(design[:1500], moves[:1500]).solution
    left = (fitted - moves)[1500:].square().mean() / moves[1500:].square().mean()
    assert left < 0.3


@pytest.mark.parametrize(("separation", "low", "high"), [(0.0, 0.1, 0.4), (16.0, 0.99, 1.0)])
def test_separation_is_what_the_input_tells_of_the_class(separation, low, high):
    items = read_generated(source(separation=separation, num_train=2000), Split.TRAIN)
    inputs, labels = items.inputs_NSI.flatten(1), items.labels_N
    means = torch.stack([inputs[:1000][labels[:1000] == c].mean(dim=0) for c in range(4)])
    right = (torch.cdist(inputs[1000:], means).argmin(dim=1) == labels[1000:]).float().mean()
    assert low <= right <= high


def test_classes_are_balanced_unless_asked_otherwise():
    assert torch.bincount(read_generated(source(), Split.TRAIN).labels_N).tolist() == [20] * 4
    counts = torch.bincount(read_generated(source(imbalance=10, num_train=400), Split.TRAIN).labels_N).tolist()
    assert counts == sorted(counts, reverse=True)
    assert 7 < counts[0] / counts[-1] < 11
    assert min(torch.bincount(read_generated(source(imbalance=1000), Split.VAL).labels_N).tolist()) >= 2


def test_the_seed_fixes_everything_and_splits_differ():
    train, again = (read_generated(source(), Split.TRAIN) for _ in range(2))
    assert torch.equal(train.inputs_NSI, again.inputs_NSI)
    assert not torch.equal(read_generated(source(seed=1), Split.TRAIN).inputs_NSI, train.inputs_NSI)
    assert not torch.equal(load_embeddings(source()).val.inputs_NSI, load_test_embeddings(source()).inputs_NSI[:40])
    assert len(load_test_embeddings(source())) == 30


def test_one_class_is_possible():
    data = load_embeddings(source(num_classes=1))
    assert isinstance(data, EmbeddingData)
    assert torch.equal(data.val.labels_N, torch.zeros(40, dtype=torch.int64))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clip": {"distance_low": 9, "distance_high": 8}}, "distance_high is 8: it is below distance_low 9"),
        ({"num_classes": 250}, "at most 248, for t5 has 256 numbers"),
        ({"num_classes": 5, "positions": 1, "dims": 12}, "at most 4, for input has 12 numbers"),
        ({"num_classes": 100, "t5": {"dims": 100}}, "num_train is 80: 100 classes need two items each"),
    ],
)
def test_what_cannot_be_generated_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        source(**fields)


def test_a_test_has_train_and_other_items_and_who_retrains_learns_from_those_of_val_too():
    data, test, both = (load_embeddings(source(), purpose) for purpose in Purpose)
    assert torch.equal(test.train.inputs_NSI, data.train.inputs_NSI)
    assert torch.equal(test.val.inputs_NSI, load_test_embeddings(source()).inputs_NSI)
    for space, target_NTD in both.train.targets.items():
        assert torch.equal(target_NTD, torch.cat([data.train.targets[space], data.val.targets[space]]))
    assert torch.equal(both.train.labels_N, torch.cat([data.train.labels_N, data.val.labels_N]))
