"""What went wrong in source note 001's mining, planted one by one: the record tells each from its healthy twin."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.distances import cosine_distance, euclidean_distance
from trainables.mining.choose import MiningRule, choose
from trainables.mining.pool import Pool, negative_candidates, positive_candidates
from trainables.mining.strategies import NegativeMining, Window


@pytest.fixture
def metrics(generator):
    return lambda pool, rule: choose(pool, rule, generator=generator).record.metrics()


@pytest.mark.parametrize("strategy", [NegativeMining.SEMI_HARD, NegativeMining.HARD, NegativeMining.FULL_HARD])
def test_a_no_embeddings_given(pool, metrics, strategy):
    healthy, ill = (
        metrics(pool, MiningRule(strategy, margin=2.0)),
        metrics(replace(pool, distance_AN=None), MiningRule(strategy, margin=2.0)),
    )
    assert healthy["train/mining_requested_fraction"] > 0.9
    assert healthy["train/mining_fallback_no_embeddings"] == 0
    assert ill["train/mining_requested_fraction"] == 0
    assert ill["train/mining_fallback_no_embeddings"] == 1
    assert ill["train/mining_strategy"] == healthy["train/mining_strategy"]


def test_b_the_farthest_taken_for_the_hardest(pool, metrics):
    healthy, ill = (metrics(pool, MiningRule(s)) for s in (NegativeMining.HARD, NegativeMining.FARTHEST))
    assert healthy["train/negative_percentile"] == 0
    assert ill["train/negative_percentile"] == 1


def test_b_the_chosen_negatives_jump_away_instead_of_coming_near(pool, generator):
    def chosen_distance(strategy):
        choice = choose(pool, MiningRule(strategy), generator=generator)
        return pool.distance_AN.gather(1, choice.negative_A[:, None]).mean()

    assert chosen_distance(NegativeMining.HARD) < chosen_distance(NegativeMining.RANDOM)
    assert chosen_distance(NegativeMining.FARTHEST) > chosen_distance(NegativeMining.RANDOM)


def test_c_a_choice_within_the_batch_taken_for_a_global_one(pool, items, metrics):
    batch = torch.tensor([0, 1, 6, 7, 12, 13])
    within = Pool(
        pool.positive_AN[batch][:, batch], pool.negative_AN[batch][:, batch], pool.distance_AN[batch][:, batch]
    )
    rule = MiningRule(NegativeMining.FULL_HARD)
    healthy, ill = metrics(pool, rule), metrics(within, rule)
    assert (healthy["train/mining_pool_size"], ill["train/mining_pool_size"]) == (35, 4)
    assert ill["train/mining_fallback_not_global"] == 1
    assert ill["train/mining_requested_fraction"] == 0
    assert healthy["train/mining_requested_fraction"] == 1


def test_d_stale_embeddings(pool, embedded, metrics, generator):
    drifted = F.normalize(embedded + torch.randn(40, 6, generator=generator, dtype=torch.float64), dim=1)
    stale = replace(pool, distance_AN=cosine_distance(drifted, drifted), age_N=torch.full((40,), 250))
    rule = MiningRule(NegativeMining.HARD)
    healthy, ill = metrics(pool, rule), metrics(stale, rule)
    assert (healthy["train/embedding_age_steps"], ill["train/embedding_age_steps"]) == (0, 250)
    # By the stale distances all is well. By the loss's own, the nearest is not the nearest any more.
    assert ill["train/negative_percentile"] == 0
    chosen_A1 = choose(stale, rule, generator=generator).negative_A[:, None]
    nearest_A = pool.distance_AN.masked_fill(~pool.negative_AN, torch.inf).amin(dim=1)
    assert pool.distance_AN.gather(1, chosen_A1).mean() > nearest_A.mean()


def test_e_the_window_of_the_first_positive_is_not_that_of_the_chosen_one(pool, generator):
    def choices(window):
        rule = MiningRule(NegativeMining.SEMI_HARD, margin=0.3, window=window)
        return [choose(pool, rule, generator=generator) for _ in range(9)]

    healthy, ill = choices(Window.CHOSEN), choices(Window.FIRST)
    for choice in healthy:
        assert _inside_fraction(pool, choice, margin=0.3) == choice.record.metrics()["train/mining_requested_fraction"]
        assert choice.record.metrics()["train/mining_fallback_other_window"] == 0
    for choice in ill:
        metrics = choice.record.metrics()
        assert metrics["train/mining_requested_fraction"] < 0.8
        assert metrics["train/mining_fallback_other_window"] > 0.2
        assert _inside_fraction(pool, choice, margin=0.3) >= metrics["train/mining_requested_fraction"]


def test_e_an_anchor_without_a_positive_has_no_window(pool, generator):
    positive = pool.positive_AN.clone()
    positive[0] = False
    for window in Window:
        rule = MiningRule(NegativeMining.SEMI_HARD, margin=0.3, window=window)
        choice = choose(replace(pool, positive_AN=positive), rule, generator=generator)
        assert choice.negative_A[0] == -1
        assert choice.record.metrics()["train/mining_fallback_no_positive"] == 1 / 40


def test_a_metric_other_than_the_loss_s_chooses_other_negatives(items, generator):
    """Without normalised rows the nearest by 2-norm is not the nearest by cosine; on unit rows they agree."""
    z = torch.randn(40, 6, generator=generator, dtype=torch.float64) * torch.linspace(0.5, 3, 40)[:, None]
    unit = F.normalize(z, dim=1)
    masks = positive_candidates(items, items), negative_candidates(items, items)

    def nearest(distance):
        return choose(
            Pool(*masks, distance_AN=distance), MiningRule(NegativeMining.HARD), generator=generator
        ).negative_A

    by_cosine = nearest(cosine_distance(unit, unit))
    assert torch.equal(by_cosine, nearest(euclidean_distance(unit, unit)))
    assert (by_cosine != nearest(euclidean_distance(z, z))).any()


def _inside_fraction(pool, choice, *, margin):
    """Share of the anchors whose negative is in the window of the positive that it is trained with."""
    begin, chosen = (pool.distance_AN.gather(1, x[:, None]) for x in (choice.positive_A, choice.negative_A))
    return float(((begin < chosen) & (chosen < begin + margin)).double().mean())
