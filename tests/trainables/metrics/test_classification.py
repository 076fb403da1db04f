"""Scores of classes, against scikit-learn and torchmetrics, and where the libraries disagree."""

import pytest
import torch
from sklearn.metrics import f1_score, precision_score, recall_score
from torchmetrics.classification import MulticlassCalibrationError, MulticlassF1Score

from trainables.metrics.classification import calibration_error, class_scores, hard_fraction, majority_macro_f1


def draw(num=200, classes=4, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, classes, (num,), generator=generator)
    probability = (2 * torch.randn(num, classes, generator=generator)).softmax(dim=1)
    return probability, target


def test_against_scikit_learn():
    probability, target = draw()
    predicted = probability.argmax(dim=1)
    found = class_scores(predicted, target, num_classes=5)
    settings = {"labels": list(range(5)), "average": None, "zero_division": 0}
    for ours, theirs in (
        (found.f1_C, f1_score),
        (found.precision_C, precision_score),
        (found.recall_C, recall_score),
    ):
        assert ours.tolist() == pytest.approx(theirs(target, predicted, **settings).tolist())
    macro = f1_score(target, predicted, labels=list(range(5)), average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(macro)


def test_against_torchmetrics_where_every_class_occurs():
    probability, target = draw()
    oracle = MulticlassF1Score(num_classes=4, average="macro")(probability, target)
    assert class_scores(probability.argmax(dim=1), target, num_classes=4).macro_f1 == pytest.approx(oracle.item())


def test_a_class_that_never_occurs_counts_as_0_where_torchmetrics_leaves_it_out():
    target = torch.tensor([0, 1, 0, 1])
    assert class_scores(target, target, num_classes=3).macro_f1 == pytest.approx(2 / 3)
    assert MulticlassF1Score(num_classes=3, average="macro")(target, target).item() == 1.0


def test_the_majority():
    target = torch.tensor([0] * 95 + [1] * 5)
    assert majority_macro_f1(target, majority=0, num_classes=2) == pytest.approx(0.487, abs=1e-3)


@pytest.mark.parametrize("num_bins", [1, 10, 15])
def test_calibration_against_torchmetrics(num_bins):
    probability, target = draw(500)
    oracle = MulticlassCalibrationError(num_classes=4, n_bins=num_bins, norm="l1")(probability, target)
    assert calibration_error(probability, target, num_bins=num_bins) == pytest.approx(oracle.item(), abs=1e-5)


def test_calibration_of_known_cases():
    sure = torch.tensor([[1.0, 0.0]] * 4)
    assert calibration_error(sure, torch.tensor([0, 0, 0, 0])) == 0.0
    assert calibration_error(sure, torch.tensor([0, 0, 1, 1])) == pytest.approx(0.5)


def test_the_hardest_samples_share():
    amount = torch.tensor([1.0] * 95 + [19.0] * 5)
    assert hard_fraction(amount, amount) == pytest.approx(0.5)
    assert hard_fraction(torch.ones(100), torch.arange(100.0)) == pytest.approx(0.05)
    assert hard_fraction(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0])) == pytest.approx(0.75)
    assert hard_fraction(torch.zeros(3), torch.arange(3.0)) == 0.0
