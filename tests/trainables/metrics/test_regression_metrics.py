import numpy as np
import pytest
import torch

from trainables.losses.regression import class_blind_floor
from trainables.metrics.regression import (
    cosine_retrieval_accuracy,
    norm_floor,
    r_squared,
    regression_scores,
    retrieval_accuracy,
    target_geometry,
)


def rows(num, size, seed=0):
    return torch.randn(num, size, generator=torch.Generator().manual_seed(seed))


def test_r_squared_is_zero_for_the_mean_and_one_for_the_truth():
    target, labels = rows(8, 5), torch.arange(8) % 2
    mean = target.mean(dim=0)
    assert regression_scores(mean.expand(8, 5), target, labels, blind_D=mean).r2 == pytest.approx(0.0, abs=1e-6)
    assert regression_scores(target, target, labels, blind_D=mean).r2 == 1.0
    assert regression_scores(-target, target, labels, blind_D=mean).r2 < 0


def test_r_squared_equals_scikit_learns_when_the_mean_is_that_of_the_scored_targets():
    from sklearn.metrics import r2_score

    target, predicted, labels = rows(20, 5), rows(20, 5, seed=1), torch.arange(20) % 3
    scores = regression_scores(predicted, target, labels, blind_D=target.mean(dim=0))
    flat = target - target.mean(dim=0)
    oracle = r2_score(flat.numpy().ravel(), (predicted - target.mean(dim=0)).numpy().ravel())
    # Over all numbers at once; its `variance_weighted` average of the dimensions is the same.
    weighted = r2_score(target.numpy(), predicted.numpy(), multioutput="variance_weighted")
    assert scores.r2 == pytest.approx(weighted, abs=1e-5)
    assert scores.r2 == pytest.approx(oracle, abs=1e-5)


def test_errors_by_class_against_a_loop():
    target, predicted, labels = rows(9, 4), rows(9, 4, seed=1), torch.tensor([0, 0, 2, 2, 2, 5, 5, 5, 5])
    scores = regression_scores(predicted, target, labels, blind_D=torch.zeros(4))
    errors = ((predicted - target) ** 2).mean(dim=1).tolist()
    expected = {
        c: np.mean([e for e, label in zip(errors, labels.tolist(), strict=True) if label == c]) for c in (0, 2, 5)
    }
    assert scores.class_mse == pytest.approx(expected)
    assert scores.mse == pytest.approx(np.mean(errors))


def test_nothing_to_explain_gives_no_r_squared():
    assert r_squared(0.1, class_blind_mse=0.0) is None
    assert r_squared(0.1, class_blind_mse=0.2) == pytest.approx(0.5)


def test_retrieval_against_a_loop():
    targets, predicted = rows(6, 3), rows(40, 3, seed=1)
    labels = torch.randint(0, 6, (40,), generator=torch.Generator().manual_seed(2))
    nearest = [min(range(6), key=lambda c: float((p - targets[c]).norm())) for p in predicted]
    cosines = torch.nn.functional.normalize(predicted) @ torch.nn.functional.normalize(targets).T
    assert retrieval_accuracy(predicted, targets, labels) == pytest.approx(
        np.mean([n == label for n, label in zip(nearest, labels.tolist(), strict=True)])
    )
    assert cosine_retrieval_accuracy(predicted, targets, labels) == pytest.approx(
        float((cosines.argmax(dim=1) == labels).float().mean())
    )


def test_retrieval_of_one_class_is_always_right_and_ties_are_always_wrong():
    assert retrieval_accuracy(rows(3, 2), rows(1, 2), torch.zeros(3, dtype=torch.int64)) == 1.0
    same = torch.ones(4, 2)
    assert retrieval_accuracy(same, same, torch.arange(4)) == 0.0
    assert cosine_retrieval_accuracy(same, same, torch.arange(4)) == 0.0


def test_a_prediction_of_the_mean_of_equidistant_targets_retrieves_nothing():
    targets = torch.eye(4)
    assert retrieval_accuracy(targets.mean(dim=0).expand(8, 4), targets, torch.arange(8) % 4) == 0.0


@pytest.mark.parametrize("num_classes", [2, 4, 16])
def test_the_floor_of_equidistant_targets_is_the_formula(num_classes):
    targets = torch.zeros(num_classes, 768)
    targets[:, :num_classes] = 15 / 2**0.5 * torch.eye(num_classes)
    geometry = target_geometry(targets + 3.0)
    assert (geometry.distance, geometry.distance_min, geometry.distance_max) == pytest.approx((15, 15, 15))
    assert geometry.class_blind_floor == pytest.approx(class_blind_floor(15, num_classes=num_classes, dims=768))


def test_one_class_has_no_distances_and_no_floor():
    geometry = target_geometry(torch.full((1, 9), 2.0))
    assert (geometry.distance, geometry.class_blind_floor, geometry.norm) == (0.0, 0.0, 6.0)


def test_what_a_norm_cannot_reach():
    targets = torch.zeros(2, 16)
    targets[:, 0] = torch.tensor([4.0, 6.0])
    gain, bias = torch.ones(16), torch.zeros(16)
    # The output has the length 4: the first target is reachable, the second 2 too far.
    assert norm_floor(targets, gain_D=gain, bias_D=bias) == pytest.approx(2**2 / 16 / 2)
    assert norm_floor(targets, gain_D=1.5 * gain, bias_D=bias) == pytest.approx(2**2 / 16 / 2)
    uneven = torch.linspace(1.0, 1.5, 16)
    assert norm_floor(targets, gain_D=uneven, bias_D=bias) == 0.0
    assert norm_floor(targets, gain_D=gain, bias_D=targets.mean(dim=0)) > 0


def test_the_reach_of_a_norm_is_a_lower_bound():
    generator = torch.Generator().manual_seed(0)
    target, gain, bias = 3 * torch.randn(1, 8, generator=generator), torch.rand(8, generator=generator), torch.ones(8)
    z = torch.randn(1000, 8, generator=generator)
    outputs = gain * z * 8**0.5 / z.norm(dim=1, keepdim=True) + bias
    assert norm_floor(target, gain_D=gain, bias_D=bias) <= float((outputs - target).square().mean(dim=1).min())
