"""Mining, sampling and the memory against pytorch-metric-learning, with what differs written down."""

import pytest
import torch
from torch.nn import functional as F

from trainables.losses.distances import euclidean_distance
from trainables.losses.supcon import masked_sup_con
from trainables.mining.choose import MiningRule, choose
from trainables.mining.memory import CrossBatchMemory
from trainables.mining.pool import Items, Pool, negative_candidates, positive_candidates
from trainables.mining.sampler import PKSampler, batch_composition
from trainables.mining.strategies import NegativeMining, PositiveMining, Sampling


def unit(num, *, seed=0):
    rows = torch.randn(num, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.normalize(rows, dim=1)


def own_recordings(labels, *, first=0):
    ids = torch.arange(first, first + len(labels))
    return Items(labels, ids, ids)


def pool_of(z, items):
    masks = positive_candidates(items, items), negative_candidates(items, items)
    return Pool(*masks, distance_AN=euclidean_distance(z, z))


def test_hardest_pairs_against_the_batch_hard_miner():
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.miners import BatchHardMiner

    z, labels = unit(24), torch.arange(24) // 4
    anchors, positives, negatives = BatchHardMiner(distance=LpDistance(normalize_embeddings=False))(z, labels)
    rule = MiningRule(NegativeMining.HARD, positive=PositiveMining.HARD)
    choice = choose(pool_of(z, own_recordings(labels)), rule, generator=torch.Generator())
    assert torch.equal(choice.positive_A[anchors], positives)
    assert torch.equal(choice.negative_A[anchors], negatives)


def test_semi_hard_triplets_are_among_those_of_the_triplet_miner():
    """The miner gives every triplet of the windows; a choice is one of its anchor's, with the positive chosen first."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.miners import TripletMarginMiner

    z, labels = unit(24), torch.arange(24) // 4
    miner = TripletMarginMiner(0.3, "semihard", distance=LpDistance(normalize_embeddings=False))
    allowed = set(zip(*(x.tolist() for x in miner(z, labels)), strict=True))
    generator, pool = torch.Generator().manual_seed(0), pool_of(z, own_recordings(labels))
    seen = set()
    for _ in range(100):
        choice = choose(pool, MiningRule(NegativeMining.SEMI_HARD, margin=0.3), generator=generator)
        inside = choice.record.reason_A == 0
        chosen = zip(range(24), choice.positive_A.tolist(), choice.negative_A.tolist(), strict=True)
        triplets = {triplet for triplet, is_inside in zip(chosen, inside.tolist(), strict=True) if is_inside}
        assert triplets <= allowed
        seen |= triplets
    assert len(seen) > 0.9 * len(allowed)


def test_a_small_class_repeats_its_items_in_both_samplers_when_asked_to():
    from pytorch_metric_learning.samplers import MPerClassSampler

    labels = torch.arange(8) // 2
    library = MPerClassSampler(labels, m=4, batch_size=16, length_before_new_iter=16 * 50)
    drawn = torch.tensor(list(library)).reshape(50, 16)
    theirs = [batch_composition(own_recordings(labels).select(batch)).distinct_items_fraction for batch in drawn]
    ours = {}
    for sampling in Sampling:
        sampler = PKSampler(
            labels,
            torch.arange(8),
            classes_per_batch=4,
            items_per_class=4 if sampling is Sampling.WITH_REPLACEMENT else 2,
            sampling=sampling,
            batches_per_epoch=50,
        )
        batches = sampler.batches(torch.Generator().manual_seed(0))
        fractions = [batch_composition(own_recordings(labels).select(b)).distinct_items_fraction for b in batches]
        ours[sampling] = sum(fractions) / 50
    assert sum(theirs) / 50 == pytest.approx(ours[Sampling.WITH_REPLACEMENT], abs=0.05)
    assert ours[Sampling.WITH_REPLACEMENT] < 0.55
    assert ours[Sampling.DISTINCT] == 1.0


def test_the_memory_against_the_cross_batch_memory():
    """It puts the batch into the memory before the loss; here the batch stands beside the memory until the step."""
    from pytorch_metric_learning.losses import CrossBatchMemory as Library
    from pytorch_metric_learning.losses import SupConLoss

    oracle = Library(SupConLoss(temperature=0.1), embedding_size=4, memory_size=20)
    ours = CrossBatchMemory(14, embedding_size=4)
    for step in range(6):
        z, labels = unit(6, seed=step), (torch.arange(6) + step) // 2
        batch = own_recordings(labels, first=6 * step)
        past = ours.items
        columns = Items(
            torch.cat([labels, past.labels_N]),
            torch.cat([batch.recordings_N, past.recordings_N]),
            torch.cat([batch.items_N, past.items_N]),
        )
        loss = masked_sup_con(
            z @ torch.cat([z, ours.embeddings_MD.to(z)]).T,
            positive_AN=positive_candidates(batch, columns),
            negative_AN=negative_candidates(batch, columns),
            temperature=0.1,
        )
        torch.testing.assert_close(loss.float(), oracle(z, labels).float(), rtol=1e-4, atol=1e-4)
        ours.enqueue(z, batch)
