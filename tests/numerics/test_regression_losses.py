"""The losses of the adapter task against loops over their definitions and libraries, with gradients and under vmap."""

import math

import pytest
import torch
from torch.func import grad_and_value, vmap
from torch.nn import functional as F

from trainables.losses.regression import (
    class_blind_floor,
    class_weights,
    cosine_contrast_bounds,
    cosine_contrast_loss,
    distance_contrast_bounds,
    distance_contrast_loss,
    mse_loss,
    weighted_mse_loss,
)

DTYPES = [torch.float32, torch.float64]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
LOSSES = {
    "mse": lambda p, t, y: mse_loss(p, t),
    "weighted_mse": weighted_mse_loss,
    "cosine": lambda p, t, y: cosine_contrast_loss(p, t, y, temperature=0.2),
    "distance": lambda p, t, y: distance_contrast_loss(p, t, y, temperature=0.3),
}


def items(num=9, size=6, *, num_classes=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    predicted, target = (torch.randn(num, size, generator=generator, dtype=torch.float64) for _ in range(2))
    return predicted.to(dtype), target.to(dtype), torch.randint(0, num_classes, (num,), generator=generator)


def naive_mse(predicted, target, labels):
    errors = [
        sum((a - b) ** 2 for a, b in zip(p, t, strict=True)) / len(p) for p, t in zip(predicted, target, strict=True)
    ]
    return sum(errors) / len(errors)


def naive_weighted_mse(predicted, target, labels):
    means = []
    for c in set(labels):
        rows = [i for i, label in enumerate(labels) if label == c]
        means.append(naive_mse([predicted[i] for i in rows], [target[i] for i in rows], None))
    return sum(means) / len(means)


def naive_contrast(similarity, labels, temperature):
    losses = []
    for i in range(len(labels)):
        total = math.exp(similarity[i][i] / temperature)
        for c in set(labels) - {labels[i]}:
            rows = [j for j, label in enumerate(labels) if label == c]
            total += sum(math.exp(similarity[i][j] / temperature) for j in rows) / len(rows)
        losses.append(math.log(total) - similarity[i][i] / temperature)
    return sum(losses) / len(losses)


def naive_cosine(predicted, target, labels):
    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)

    return naive_contrast([[cosine(p, t) for t in target] for p in predicted], labels, 0.2)


def naive_distance(predicted, target, labels):
    similarity = [[-((math.dist(p, t)) ** 2) / len(p) for t in target] for p in predicted]
    return naive_contrast(similarity, labels, 0.3)


NAIVE = {
    "mse": naive_mse,
    "weighted_mse": naive_weighted_mse,
    "cosine": naive_cosine,
    "distance": naive_distance,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("num", "num_classes"), [(9, 4), (9, 1), (9, 1000), (1, 1), (2, 2)])
@pytest.mark.parametrize("name", LOSSES)
def test_against_loops(name, num, num_classes, dtype):
    predicted, target, labels = items(num, num_classes=num_classes, dtype=dtype)
    result = LOSSES[name](predicted, target, labels)
    expected = NAIVE[name](predicted.double().tolist(), target.double().tolist(), labels.tolist())
    assert result.dtype is dtype
    assert result.item() == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_mse_against_torch_and_torchmetrics(dtype):
    from torchmetrics.functional import mean_squared_error

    predicted, target, _ = items(dtype=dtype)
    torch.testing.assert_close(mse_loss(predicted, target), F.mse_loss(predicted, target))
    torch.testing.assert_close(mse_loss(predicted, target), mean_squared_error(predicted, target))


@pytest.mark.parametrize("dtype", DTYPES)
def test_weighted_mse_against_scikit_learn_with_the_notes_weights(dtype):
    from sklearn.metrics import mean_squared_error

    predicted, target, labels = items(12, num_classes=3, dtype=dtype)
    counts = [labels.tolist().count(label) for label in labels.tolist()]
    weights = [1 / count for count in counts]
    expected = mean_squared_error(target.double().numpy(), predicted.double().numpy(), sample_weight=weights)
    assert weighted_mse_loss(predicted, target, labels).item() == pytest.approx(expected, rel=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_distance_contrast_of_distinct_classes_is_cross_entropy_of_scaled_distances(dtype):
    predicted, target, _ = items(dtype=dtype)
    logits = -torch.cdist(predicted, target).square() / 6 / 0.3
    result = distance_contrast_loss(predicted, target, torch.arange(9), temperature=0.3)
    torch.testing.assert_close(result, F.cross_entropy(logits, torch.arange(9)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_contrast_against_pytorch_metric_learning(dtype):
    """NT-Xent with the targets as reference: the same choice when each class is there once.

    With several items of a class it differs: the library counts the other items' targets as further positives, and
    each item of another class as a negative of its own.
    """
    from pytorch_metric_learning.losses import NTXentLoss

    predicted, target, _ = items(dtype=dtype)
    labels = torch.arange(9)
    # A copy: given the same object, the library takes the diagonal for self-comparisons and leaves it out.
    oracle = NTXentLoss(temperature=0.2)(predicted, labels, ref_emb=target, ref_labels=labels.clone())
    result = cosine_contrast_loss(predicted, target, labels, temperature=0.2)
    torch.testing.assert_close(result, oracle.to(dtype), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("num_classes", [1, 3])
def test_gradients_against_finite_differences(name, num_classes):
    predicted, target, labels = items(7, num_classes=num_classes)
    assert torch.autograd.gradcheck(
        lambda p, t: LOSSES[name](p, t, labels), (predicted.requires_grad_(), target.requires_grad_())
    )


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_of_the_batch_does_not_matter(name):
    predicted, target, labels = items(12)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    shuffled = LOSSES[name](predicted[order], target[order], labels[order])
    torch.testing.assert_close(shuffled, LOSSES[name](predicted, target, labels))


@pytest.mark.parametrize("name", ["cosine", "distance"])
def test_one_class_alone_has_nothing_to_tell_apart(name):
    predicted, target, _ = items()
    loss = LOSSES[name](predicted.requires_grad_(), target, torch.zeros(9, dtype=torch.int64))
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-12)
    assert predicted.grad.abs().max() < 1e-12


@pytest.mark.parametrize("loss", [cosine_contrast_loss, distance_contrast_loss])
def test_contrast_under_vmap_with_a_temperature_for_each_lane(loss):
    lanes = [items(10, seed=seed, dtype=torch.float32) for seed in range(4)]
    predicted, target, labels = (torch.stack(x) for x in zip(*lanes, strict=True))
    temperatures = torch.tensor([0.05, 0.1, 0.5, 1.0])

    def of_lane(predicted, temperature, target, labels):
        return loss(predicted, target, labels, temperature=temperature)

    gradients, values = vmap(grad_and_value(of_lane))(predicted, temperatures, target, labels)
    for lane, (p, t, y) in enumerate(lanes):
        p = p.clone().requires_grad_()
        expected = loss(p, t, y, temperature=float(temperatures[lane]))
        torch.testing.assert_close(values[lane], expected.detach())
        torch.testing.assert_close(gradients[lane], torch.autograd.grad(expected, p)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mse", "weighted_mse"])
def test_squared_errors_under_vmap(name):
    lanes = [items(10, seed=seed, dtype=torch.float32) for seed in range(4)]
    predicted, target, labels = (torch.stack(x) for x in zip(*lanes, strict=True))
    gradients, values = vmap(grad_and_value(LOSSES[name]))(predicted, target, labels)
    for lane, (p, t, y) in enumerate(lanes):
        p = p.clone().requires_grad_()
        expected = LOSSES[name](p, t, y)
        torch.testing.assert_close(values[lane], expected.detach())
        torch.testing.assert_close(gradients[lane], torch.autograd.grad(expected, p)[0])


def test_class_weights_sum_to_the_batch_and_balance_the_classes():
    labels = torch.tensor([7, 7, 7, 7, 1, 1, 3])
    weights = class_weights(labels)
    assert weights.sum().item() == pytest.approx(7)
    assert [weights[labels == c].sum().item() for c in (7, 1, 3)] == pytest.approx([7 / 3] * 3)


@pytest.mark.parametrize(
    ("distance", "num_classes", "expected"),
    [(14, 4, 0.096), (15, 4, 0.110), (17, 4, 0.141), (14, 8, 0.112), (17, 16, 0.176)],
)
def test_the_class_blind_floor_of_the_notes_geometry(distance, num_classes, expected):
    assert class_blind_floor(distance, num_classes=num_classes, dims=768) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 2.0])
def test_the_bounds_of_cosine_contrast_hold_and_are_reached_by_a_simplex(temperature):
    simplex = torch.eye(5, dtype=torch.float64) - 0.2
    bounds = cosine_contrast_bounds(simplex, temperature=temperature)
    labels = torch.arange(5)
    best = cosine_contrast_loss(simplex, simplex, labels, temperature=temperature).item()
    alike = cosine_contrast_loss(torch.ones(5, 5), simplex, labels, temperature=temperature).item()
    assert (bounds.floor, bounds.chance) == pytest.approx((best, math.log(5)))
    assert alike == pytest.approx(bounds.chance)


def test_no_prediction_gets_below_the_floor_of_cosine_contrast():
    target = items(6, 4)[1] + 2.0
    labels = torch.arange(6)
    predicted = target.clone().requires_grad_()
    optimizer = torch.optim.Adam([predicted], lr=0.05)
    floor = cosine_contrast_bounds(target, temperature=0.2).floor
    for _ in range(300):
        loss = cosine_contrast_loss(predicted, target, labels, temperature=0.2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.item() >= floor
    at_the_targets = cosine_contrast_loss(target, target, labels, temperature=0.2).item()
    assert loss.item() < at_the_targets


def test_the_bounds_of_distance_contrast():
    target = torch.eye(4) * 3
    bounds = distance_contrast_bounds(4)
    middle = target.mean(dim=0).expand(4, 4)
    far = target + 500 * (target - middle)
    labels = torch.arange(4)
    assert distance_contrast_loss(middle, target, labels, temperature=0.1).item() == pytest.approx(bounds.chance)
    assert distance_contrast_loss(far, target, labels, temperature=0.1).item() == pytest.approx(bounds.floor)
