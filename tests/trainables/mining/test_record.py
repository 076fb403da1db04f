import math

import pytest
import torch

from trainables.mining.record import EFFECTIVE, REASONS, MiningRecord, negative_percentile
from trainables.mining.strategies import EffectiveMining, NegativeMining, Reason


def record(reasons, *, age, percentile):
    num = len(reasons)
    return MiningRecord(
        requested=NegativeMining.HARD,
        effective_A=torch.full((num,), EFFECTIVE.index(EffectiveMining.HARD)),
        reason_A=torch.tensor([REASONS.index(reason) for reason in reasons]),
        pool_size_A=torch.tensor([10, 20, 30, 40])[:num],
        age_A=torch.tensor(age),
        percentile_A=torch.tensor(percentile),
    )


def test_metrics_are_means_over_the_anchors_that_know():
    reasons = [Reason.AS_REQUESTED, Reason.AS_REQUESTED, Reason.NO_POSITIVE, Reason.AS_REQUESTED]
    metrics = record(reasons, age=[4.0, 2.0, math.nan, 3.0], percentile=[0.0, 0.5, math.nan, math.nan]).metrics()
    assert metrics["train/mining_strategy"] == 2
    assert metrics["train/mining_requested_fraction"] == 0.75
    assert metrics["train/mining_fallback_no_positive"] == 0.25
    assert metrics["train/mining_fallback_no_embeddings"] == 0
    assert metrics["train/mining_pool_size"] == 25
    assert metrics["train/embedding_age_steps"] == 3
    assert metrics["train/negative_percentile"] == 0.25


def test_what_no_anchor_knows_is_left_out():
    metrics = record([Reason.NO_EMBEDDINGS], age=[math.nan], percentile=[math.nan]).metrics()
    assert metrics["train/mining_fallback_no_embeddings"] == 1
    assert metrics.keys().isdisjoint({"train/embedding_age_steps", "train/negative_percentile"})


@pytest.mark.parametrize(("chosen", "expected"), [(0, 1 / 3), (1, 1.0), (2, 0.0), (3, 2 / 3)])
def test_percentile_of_each_candidate(chosen, expected):
    distance = torch.tensor([[0.3, 0.9, 0.1, 0.5, 0.0]])
    negative = torch.tensor([[True, True, True, True, False]])
    assert negative_percentile(distance, negative, torch.tensor([chosen])).item() == pytest.approx(expected)


def test_ties_share_the_middle():
    assert negative_percentile(torch.zeros(1, 5), torch.ones(1, 5, dtype=torch.bool), torch.tensor([3])) == 0.5


def test_nothing_chosen_or_one_candidate_or_no_candidate_is_unknown():
    distance = torch.tensor([[0.1, 0.2, 0.3]]).repeat(3, 1)
    negative = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
    assert negative_percentile(distance, negative, torch.tensor([-1, 0, 2])).isnan().all()
