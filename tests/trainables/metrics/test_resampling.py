"""Weighted metrics against a plain loop that really draws the items again and asks scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, r2_score

from trainables.metrics.classification import class_scores
from trainables.metrics.resampling import (
    NUM_RESAMPLES,
    Resamplable,
    draw_counts,
    mean_of,
    on_some,
    weighted_f1,
    weighted_mean,
    weighted_r2,
)

NUM = 40


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def counts(num_units, *, num):
    return torch.cat(list(draw_counts(num_units, num=num)))


def redrawn(unit_N, measure):
    """The plain way: list the units that were drawn, one by one, collect their items, and measure those."""
    units = unit_N.unique().tolist()
    values = []
    for counts_U in counts(len(units), num=NUM).tolist():
        drawn = [unit for unit, count in zip(units, counts_U, strict=True) for _ in range(count)]
        items = np.concatenate([np.flatnonzero(unit_N.numpy() == unit) for unit in drawn])
        values.append(measure(items))
    return values


@pytest.fixture(params=["each item", "clusters"])
def unit_N(request):
    return torch.arange(60) if request.param == "each item" else torch.randint(7, (60,)) * 10 - 3


def test_a_mean(unit_N):
    value_N = torch.rand(60)
    found = Resamplable(unit_N, weighted_mean(value_N)).resamples(NUM)
    assert found == pytest.approx(redrawn(unit_N, lambda items: value_N[items].double().mean().item()))


def test_f1_of_each_class_and_macro(unit_N):
    target_N, predicted_N = torch.randint(4, (60,)), torch.randint(4, (60,))
    target_N[target_N == 3] = 0
    f1 = weighted_f1(predicted_N, target_N, num_classes=5)

    def measure(average):
        return lambda items: f1_score(
            target_N[items], predicted_N[items], labels=range(5), average=average, zero_division=0
        )

    found = Resamplable(unit_N, lambda weight_BN: f1(weight_BN).mean(dim=1)).resamples(NUM)
    assert found == pytest.approx(redrawn(unit_N, measure("macro")))
    second = Resamplable(unit_N, lambda weight_BN: f1(weight_BN)[:, 1]).resamples(NUM)
    assert second == pytest.approx([each[1] for each in redrawn(unit_N, measure(None))])
    once = f1(torch.ones(1, 60, dtype=torch.float64))[0]
    assert torch.allclose(once, class_scores(predicted_N, target_N, num_classes=5).f1_C)


def test_r_squared(unit_N):
    """Against scikit-learn's, with targets around 0 and 0 as the constant: its own mean is put there by a mirror."""
    target_N, predicted_N = torch.randn(60, dtype=torch.float64), torch.randn(60, dtype=torch.float64)
    metric = weighted_r2((predicted_N - target_N).square(), target_N.square())

    def measure(items):
        target, predicted = target_N[items], predicted_N[items]
        return r2_score(torch.cat([target, -target]), torch.cat([predicted, -predicted]))

    assert Resamplable(unit_N, metric).resamples(NUM) == pytest.approx(redrawn(unit_N, measure))


def test_a_mean_of_metrics_of_which_each_has_its_own_items(unit_N):
    value_N, has_N = torch.rand(60), [torch.rand(60) < 0.6, torch.arange(60) == 5]
    metric = mean_of([on_some(chosen_N, weighted_mean(value_N[chosen_N])) for chosen_N in has_N])

    def measure(items):
        parts = [value_N[items][chosen_N[items]] for chosen_N in has_N]
        return np.mean([part.double().mean().item() for part in parts if len(part)])

    found = Resamplable(unit_N, metric).resamples(NUM)
    assert found == pytest.approx(redrawn(unit_N, measure))
    single = Resamplable(unit_N, on_some(has_N[1], weighted_mean(value_N[has_N[1]]))).resamples(NUM)
    assert any(np.isnan(single)) and not any(np.isnan(found))


def test_the_draws_depend_on_the_number_of_units_alone():
    counts_BU = counts(9, num=500)
    assert counts_BU.shape == (500, 9) and torch.equal(counts_BU, counts(9, num=500))
    assert (counts_BU.sum(dim=1) == 9).all() and counts_BU.double().mean(dim=0).sub(1).abs().max() < 0.2
    first, second = torch.rand(9), torch.rand(9)
    paired = [np.array(Resamplable(torch.arange(9), weighted_mean(each)).resamples()) for each in (first, second)]
    difference = Resamplable(torch.arange(9), weighted_mean(first - second)).resamples()
    assert paired[0] - paired[1] == pytest.approx(np.array(difference), abs=1e-6)


def test_their_spread_is_the_standard_error_of_a_mean():
    hit_N = (torch.arange(400) % 4 == 0).double()
    values = Resamplable(torch.arange(400), weighted_mean(hit_N)).resamples()
    assert len(values) == NUM_RESAMPLES
    assert np.mean(values) == pytest.approx(0.25, abs=0.005)
    assert np.std(values) == pytest.approx((0.25 * 0.75 / 400) ** 0.5, rel=0.1)


def test_many_items_come_in_chunks_and_give_the_same():
    value_N = torch.rand(5000)
    found = Resamplable(torch.arange(5000), weighted_mean(value_N)).resamples(500)
    assert found == pytest.approx((counts(5000, num=500).double() @ value_N.double() / 5000).tolist())
