"""What classes are used for: recall by class, its chance, and the contrast among the videos of a batch."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainables.tasks.multitask import classes

ROWS = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
LABELS = torch.tensor([0, 0, 1, 1])


def test_class_recall_leaves_the_item_itself_out():
    assert classes.class_recall(ROWS, LABELS) == 1
    assert classes.class_recall(ROWS, torch.tensor([0, 1, 0, 1])) == 0


def test_class_chance_is_the_share_of_the_class_among_the_others():
    labels = torch.tensor([0, 0, 0, 1, 1])
    expected = (3 * 2 / 4 + 2 * 1 / 4) / 5
    assert classes.class_chance(labels) == pytest.approx(expected)


def test_a_lone_item_is_left_out_and_counted():
    rows, labels = torch.cat([ROWS, torch.tensor([[-1.0, 0]])]), torch.tensor([0, 0, 1, 1, 2])
    found = classes.recall(rows, labels)
    assert found["val/class_recall_at_1"] == 1
    assert found["val/chance_class_recall_at_1"] == pytest.approx(1 / 4)
    assert (found["val/num_class_queries"], found["val/num_excluded_class_queries"]) == (4, 1)


def test_lone_items_alone_have_no_pairs():
    assert classes.has_pairs(LABELS)
    assert not classes.has_pairs(torch.arange(4))


@pytest.mark.parametrize(
    ("rows", "position"), [(torch.ones(4, 2), 1.0), (torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]]), 0)]
)
def test_the_contrast_lies_between_its_bounds(rows, position):
    found = classes.contrast(F.normalize(rows, dim=1), LABELS, batches=[torch.arange(4)], temperature=0.5)
    assert found["val/class_contrastive_chance"] == pytest.approx(math.log(3))
    assert found["val/class_contrastive_position"] == pytest.approx(position, abs=1e-6)


def test_without_positives_there_are_no_bounds():
    found = classes.contrast(ROWS, torch.arange(4), batches=[torch.arange(4)], temperature=0.5)
    assert found == {"val/class_contrastive_loss": 0.0}


def test_the_make_of_a_batch():
    made = classes.batch_make(torch.tensor([0, 0, 0, 1]))
    assert made == {"positives_per_anchor": 1.5, "anchors_without_positive_fraction": 0.25}
