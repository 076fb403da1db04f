"""Each strategy against a loop over its definition, and the record of what was done."""

from dataclasses import replace

import pytest
import torch

from trainables.losses.distances import euclidean_distance
from trainables.losses.triplet import batch_hard_triplet_loss, triplet_loss
from trainables.mining.choose import MiningRule, choose
from trainables.mining.pool import negative_candidates, positive_candidates
from trainables.mining.record import EFFECTIVE, REASONS
from trainables.mining.strategies import EffectiveMining, NegativeMining, PositiveMining, Reason

STRATEGIES = list(NegativeMining)


def effective(choice):
    return [EFFECTIVE[code] for code in choice.record.effective_A.tolist()]


def reasons(choice):
    return [REASONS[code] for code in choice.record.reason_A.tolist()]


def candidates(mask_AN):
    return [torch.nonzero(row).flatten().tolist() for row in mask_AN]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("positive", PositiveMining)
def test_choices_are_candidates_and_as_requested(pool, generator, strategy, positive):
    choice = choose(pool, MiningRule(strategy, positive=positive, margin=2.0), generator=generator)
    assert all(
        p in allowed for p, allowed in zip(choice.positive_A.tolist(), candidates(pool.positive_AN), strict=True)
    )
    assert all(
        n in allowed for n, allowed in zip(choice.negative_A.tolist(), candidates(pool.negative_AN), strict=True)
    )
    assert choice.used_A.all()
    assert choice.record.requested is strategy
    as_requested = [reason is Reason.AS_REQUESTED for reason in reasons(choice)]
    assert as_requested == [name.value == strategy.value for name in effective(choice)]
    if strategy is not NegativeMining.SEMI_HARD:
        assert all(as_requested)


@pytest.mark.parametrize(
    ("strategy", "percentile"),
    [(NegativeMining.HARD, 0.0), (NegativeMining.FULL_HARD, 0.0), (NegativeMining.FARTHEST, 1.0)],
)
def test_extremes_against_loops(pool, generator, strategy, percentile):
    choice = choose(pool, MiningRule(strategy, positive=PositiveMining.HARD), generator=generator)
    for i, row in enumerate(pool.distance_AN.tolist()):
        negatives = candidates(pool.negative_AN)[i]
        extreme = max if strategy is NegativeMining.FARTHEST else min
        assert choice.negative_A[i] == extreme(negatives, key=row.__getitem__)
        assert choice.positive_A[i] == max(candidates(pool.positive_AN)[i], key=row.__getitem__)
    assert choice.record.percentile_A.tolist() == [percentile] * 40


@pytest.mark.parametrize("positive", PositiveMining)
@pytest.mark.parametrize("margin", [0.0, 0.02, 0.3])
def test_semi_hard_against_loops(pool, generator, positive, margin):
    choice = choose(pool, MiningRule(NegativeMining.SEMI_HARD, positive, margin), generator=generator)
    seen = set()
    for i, row in enumerate(pool.distance_AN.tolist()):
        begin, chosen = row[choice.positive_A[i]], row[choice.negative_A[i]]
        negatives = [row[j] for j in candidates(pool.negative_AN)[i]]
        inside = [d for d in negatives if begin < d < begin + margin]
        beyond = [d for d in negatives if d > begin]
        if inside:
            expected, name = chosen in inside, EffectiveMining.SEMI_HARD
        elif beyond:
            expected, name = chosen == min(beyond), EffectiveMining.NEAREST_BEYOND
        else:
            expected, name = chosen == max(negatives), EffectiveMining.FARTHEST_BELOW
        assert expected
        assert effective(choice)[i] is name
        assert (reasons(choice)[i] is Reason.AS_REQUESTED) == bool(inside)
        seen.add(name)
    assert EffectiveMining.SEMI_HARD in seen or margin == 0
    assert EffectiveMining.NEAREST_BEYOND in seen or margin == 0.3


def test_the_semi_hard_choice_differs_from_time_to_time(pool, generator):
    rule = MiningRule(NegativeMining.SEMI_HARD, margin=0.5)
    assert (
        choose(pool, rule, generator=generator).negative_A != choose(pool, rule, generator=generator).negative_A
    ).any()


def test_random_choices_are_uniform(pool, generator):
    rule = MiningRule(NegativeMining.RANDOM)
    drawn = torch.stack([choose(pool, rule, generator=generator).negative_A[0] for _ in range(700)])
    counts = drawn.bincount(minlength=40)
    assert counts[5:].min() > 5
    assert counts.max() < 45
    percentile = torch.stack([choose(pool, rule, generator=generator).record.percentile_A for _ in range(20)])
    assert percentile.mean().item() == pytest.approx(0.5, abs=0.03)


def test_the_same_seed_gives_the_same_choice_and_each_strategy_draws_as_much(pool):
    generators = [torch.Generator().manual_seed(1) for _ in [*STRATEGIES, "again"]]
    choices = [
        choose(pool, MiningRule(strategy, margin=0.2), generator=generator)
        for strategy, generator in zip([*STRATEGIES, NegativeMining.RANDOM], generators, strict=True)
    ]
    assert torch.equal(choices[0].negative_A, choices[-1].negative_A)
    assert all(torch.equal(generator.get_state(), generators[0].get_state()) for generator in generators)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_anchor_without_a_positive_or_a_negative_is_left_out_with_a_reason(pool, generator, strategy):
    positive, negative = pool.positive_AN.clone(), pool.negative_AN.clone()
    positive[0] = positive[2] = negative[1] = negative[2] = False
    poor = replace(pool, positive_AN=positive, negative_AN=negative)
    choice = choose(poor, MiningRule(strategy, margin=2.0), generator=generator)
    assert choice.used_A.tolist() == [False, False, False] + [True] * 37
    assert choice.negative_A[:3].tolist() == choice.positive_A[:3].tolist() == [-1, -1, -1]
    assert reasons(choice)[:3] == [Reason.NO_POSITIVE, Reason.NO_NEGATIVE, Reason.NO_POSITIVE]
    assert effective(choice)[:3] == [EffectiveMining.NONE] * 3
    masks = choice.masks(40)
    assert not masks[0][:3].any()
    assert masks[1].sum(dim=1).tolist() == [0, 0, 0] + [1] * 37


def test_nothing_to_choose_at_all(pool, generator):
    nothing = torch.zeros_like(pool.positive_AN)
    choice = choose(
        replace(pool, positive_AN=nothing, negative_AN=nothing), MiningRule(NegativeMining.HARD), generator=generator
    )
    assert not choice.used_A.any()
    assert choice.record.metrics()["train/mining_fallback_no_positive"] == 1


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_distances_that_are_not_finite_are_on_record(pool, generator, strategy, bad):
    distance = pool.distance_AN.clone()
    distance[3, 4] = bad
    choice = choose(replace(pool, distance_AN=distance), MiningRule(strategy), generator=generator)
    expected = Reason.AS_REQUESTED if strategy is NegativeMining.RANDOM else Reason.NOT_FINITE
    assert set(reasons(choice)) == {expected}
    assert choice.used_A.all()


def test_full_hard_leaves_out_copies_under_another_label(pool, embedded, generator):
    distance = pool.distance_AN.clone()
    distance[0, 39] = distance[39, 0] = 1e-9
    choice = choose(replace(pool, distance_AN=distance), MiningRule(NegativeMining.FULL_HARD), generator=generator)
    assert choice.negative_A[0] != 39
    assert distance[0, choice.negative_A[0]] == distance[0, 5:39].min()
    hard = choose(replace(pool, distance_AN=distance), MiningRule(NegativeMining.HARD), generator=generator)
    assert hard.negative_A[0] == 39


def test_full_hard_of_collapsed_embeddings_says_that_there_are_only_copies(pool, generator):
    collapsed = replace(pool, distance_AN=torch.zeros(40, 40))
    choice = choose(collapsed, MiningRule(NegativeMining.FULL_HARD), generator=generator)
    assert set(reasons(choice)) == {Reason.ONLY_DUPLICATES}
    assert choice.record.metrics()["train/negative_percentile"] == 0.5


def test_the_masks_of_a_hard_choice_give_the_batch_hard_loss(pool, embedded, generator):
    distance = euclidean_distance(embedded, embedded)
    rule = MiningRule(NegativeMining.HARD, positive=PositiveMining.HARD)
    positive, negative = choose(replace(pool, distance_AN=distance), rule, generator=generator).masks(40)
    mined = triplet_loss(distance, positive_AN=positive, negative_AN=negative, margin=5.0)
    hard = batch_hard_triplet_loss(distance, positive_AN=pool.positive_AN, negative_AN=pool.negative_AN, margin=5.0)
    torch.testing.assert_close(mined, hard)


def test_mining_leaves_the_graph_alone(items, embedded, pool, generator):
    z = embedded.clone().requires_grad_()
    tracked = replace(pool, distance_AN=euclidean_distance(z, z))
    choice = choose(tracked, MiningRule(NegativeMining.SEMI_HARD, margin=0.2), generator=generator)
    assert not choice.record.percentile_A.requires_grad


def test_anchors_of_a_batch_choose_from_the_whole_train_set(items, embedded, generator, pool):
    batch = items.select(torch.tensor([0, 6, 39]))
    rows = replace(
        pool,
        positive_AN=positive_candidates(batch, items),
        negative_AN=negative_candidates(batch, items),
        distance_AN=pool.distance_AN[[0, 6, 39]],
        age_N=torch.arange(40),
    )
    choice = choose(rows, MiningRule(NegativeMining.FULL_HARD), generator=generator)
    assert choice.record.pool_size_A.tolist() == [35, 35, 35]
    assert choice.record.age_A.tolist() == choice.negative_A.tolist()
    whole = choose(pool, MiningRule(NegativeMining.FULL_HARD), generator=generator)
    assert choice.negative_A.tolist() == whole.negative_A[[0, 6, 39]].tolist()
