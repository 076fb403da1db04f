"""Accuracies over tasks by hand, and cosines against loops."""

import pytest
import torch
from torch.nn import functional as F

from trainables.metrics.incremental import (
    average_accuracy,
    backward_transfer,
    contrast_cosines,
    forgetting,
    nearest_mean,
    overall_accuracy,
)

ROWS = [[0.9], [0.6, 0.8], [0.7, 0.5, 1.0]]
COUNTS = [10, 30, 60]


def test_accuracies_weigh_tasks_by_their_items():
    assert overall_accuracy(ROWS[-1], COUNTS) == pytest.approx(0.07 + 0.15 + 0.6)
    assert overall_accuracy(ROWS[1], COUNTS) == pytest.approx((6 + 24) / 40)
    assert average_accuracy(ROWS, COUNTS) == pytest.approx((0.9 + 0.75 + 0.82) / 3)


def test_forgetting_is_from_the_best_before_now_and_transfer_from_right_after_the_task():
    assert forgetting(ROWS) == pytest.approx(((0.9 - 0.7) + (0.8 - 0.5)) / 2)
    assert backward_transfer(ROWS) == pytest.approx(((0.7 - 0.9) + (0.5 - 0.8)) / 2)
    # What was best in between counts for forgetting, and not what is best now.
    risen = [[0.2], [0.6, 0.8], [0.7, 0.9, 1.0]]
    assert forgetting(risen) == pytest.approx(((0.6 - 0.7) + (0.8 - 0.9)) / 2)
    assert backward_transfer(risen) == pytest.approx((0.5 + 0.1) / 2)


def test_one_task_has_nothing_to_forget():
    assert forgetting(ROWS[:1]) is None and backward_transfer(ROWS[:1]) is None


def test_nearest_mean_goes_by_angle():
    means = torch.tensor([[10.0, 0.0], [0.0, 0.1]])
    assert nearest_mean(torch.tensor([[0.1, 0.2], [5.0, 4.0]]), means).tolist() == [1, 0]


def test_nearest_mean_against_scikit_learn():
    from sklearn.neighbors import KNeighborsClassifier

    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    z = F.normalize(torch.randn(60, 5, generator=generator) + labels[:, None], dim=1)
    means = torch.stack([F.normalize(z[labels == k].mean(dim=0), dim=0) for k in range(3)])
    oracle = KNeighborsClassifier(1).fit(means.numpy(), [0, 1, 2]).predict(z.numpy())
    assert nearest_mean(z, means).tolist() == oracle.tolist()


def test_contrast_cosines_against_loops():
    z = F.normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    groups = [0, 0, 1, 1, 1, 2]
    cosines = (z @ z.T).tolist()
    pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
    positive = [cosines[i][j] for i, j in pairs if groups[i] == groups[j]]
    negative = [cosines[i][j] for i, j in pairs if groups[i] != groups[j]]
    hardest = [max(cosines[i][j] for j in range(6) if groups[i] != groups[j]) for i in range(6)]
    same = torch.tensor(groups)[:, None] == torch.tensor(groups)
    measured = contrast_cosines(z @ z.T, positive_AN=same & ~torch.eye(6, dtype=torch.bool), negative_AN=~same)
    means = [sum(x) / len(x) for x in (positive, negative, hardest)]
    assert measured.named() == pytest.approx(
        {
            "positive_cosine": means[0],
            "negative_cosine": means[1],
            "hardest_negative_cosine": means[2],
            "gap": means[0] - means[1],
            "hardest_gap": means[0] - means[2],
        },
        abs=1e-6,
    )


def test_a_batch_of_one_class_has_no_contrast():
    same = torch.ones(3, 3, dtype=torch.bool)
    assert contrast_cosines(torch.ones(3, 3), positive_AN=same, negative_AN=~same) is None
