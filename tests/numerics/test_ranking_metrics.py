"""Ranking, verification, distances and clustering against loops and libraries, and leaks that were planted."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from trainables.metrics.clustering import clustering_scores
from trainables.metrics.collapse import mean_cosine
from trainables.metrics.distances import distance_summary
from trainables.metrics.ranking import InvalidQueries, ranking_scores
from trainables.metrics.verification import verification_scores

DTYPES = [torch.float32, torch.float64]


def people(*, dtype=torch.float64, seed=0, num=40, size=4):
    """Unit embeddings with 2 items of each recording, 1 to 4 recordings a person; and the masks."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0] * 2 + [1] * 4 + [2] * 6 + [3] * 8 + [4] * 2 + [5] * 6 + [6] * 12)[:num]
    recordings = torch.arange(num) // 2
    centres = torch.randn(7, size, generator=generator, dtype=torch.float64)
    z = centres[labels] + torch.randn(num, size, generator=generator, dtype=torch.float64)
    same = labels[:, None] == labels
    other_recording = recordings[:, None] != recordings
    return F.normalize(z, dim=1).to(dtype), labels, same, other_recording


def naive_ranking(similarity, relevant, gallery, *, ks, missed):
    """Means over queries of (hits at k, average precision, average precision at R), and the number of queries."""
    rows = []
    for scores, is_relevant, allowed in zip(similarity, relevant, gallery, strict=True):
        candidates = [j for j, chosen in enumerate(allowed) if chosen]
        order = sorted(candidates, key=lambda j: (-scores[j], is_relevant[j]))
        hits = [is_relevant[j] for j in order]
        num = sum(hits)
        if num:
            precisions = [sum(hits[: place + 1]) / (place + 1) if hits[place] else 0 for place in range(len(hits))]
            rows.append([any(hits[:k]) for k in ks] + [sum(precisions) / num, sum(precisions[:num]) / num])
        elif missed:
            rows.append([0.0] * (len(ks) + 2))
    return np.mean(rows, axis=0), len(rows)


def as_row(scores, ks):
    return [scores.rank_at[k] for k in ks] + [scores.mean_average_precision, scores.map_at_r]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("invalid", InvalidQueries)
@pytest.mark.parametrize("steps", [2, 1000], ids=["ties", "no ties"])
def test_ranking_against_loops(dtype, invalid, steps):
    z, _, same, allowed = people(dtype=dtype)
    similarity, ks = ((z @ z.T) * steps).round() / steps, (1, 5, 10)
    scores = ranking_scores(similarity, relevant_QG=same, gallery_QG=allowed, ks=ks, invalid=invalid)
    missed = invalid is InvalidQueries.MISSED
    expected, num = naive_ranking(similarity.tolist(), same.tolist(), allowed.tolist(), ks=ks, missed=missed)
    assert as_row(scores, ks) == pytest.approx(expected)
    assert scores.num_queries == num == (40 if missed else 36)
    assert (scores.num_excluded_queries, scores.num_unanswerable_queries) == ((0, 4) if missed else (4, 0))
    assert scores.gallery_size == 38


def test_chance_is_the_mean_over_random_rankings():
    _, _, same, allowed = people()
    generator, ks = torch.Generator().manual_seed(0), (1, 5, 10)
    trials = []
    for _ in range(300):
        similarity = torch.rand(40, 40, generator=generator)
        trials.append(ranking_scores(similarity, relevant_QG=same, gallery_QG=allowed, ks=ks))
    first = trials[0]
    chance = [first.chance_rank_at[k] for k in ks] + [first.chance_mean_average_precision, first.chance_map_at_r]
    rows = np.array([as_row(scores, ks) for scores in trials])
    assert np.abs(rows.mean(axis=0) - chance).max() < 4 * rows.std(axis=0).max() / np.sqrt(300)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ranking_against_pytorch_metric_learning(dtype):
    """It knows no recordings: the gallery is everything but the query itself."""
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    z, labels, same, _ = people(dtype=dtype)
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_average_precision", "mean_average_precision_at_r"),
        knn_func=CustomKNN(CosineSimilarity()),
    )
    oracle = calculator.get_accuracy(z, labels)
    scores = ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=~torch.eye(40, dtype=torch.bool))
    assert scores.rank_at[1] == pytest.approx(oracle["precision_at_1"])
    assert scores.mean_average_precision == pytest.approx(oracle["mean_average_precision"])
    assert scores.map_at_r == pytest.approx(oracle["mean_average_precision_at_r"])


@pytest.mark.parametrize(("action", "invalid"), [("skip", InvalidQueries.EXCLUDED), ("neg", InvalidQueries.MISSED)])
def test_ranking_against_torchmetrics(action, invalid):
    """Its default counts queries that nothing can answer as misses, which is source note 001's protocol.

    Its average precision takes scores of 0 and less for not retrieved: cosines have to be shifted for it.
    """
    from torchmetrics.retrieval import RetrievalHitRate, RetrievalMAP

    z, _, same, allowed = people()
    similarity = z @ z.T
    inputs = (similarity[allowed] + 1, same[allowed])
    indexes = torch.arange(40)[:, None].expand(40, 40)[allowed]
    scores = ranking_scores(similarity, relevant_QG=same, gallery_QG=allowed, invalid=invalid)
    mean_ap = RetrievalMAP(empty_target_action=action)(*inputs, indexes=indexes)
    assert scores.mean_average_precision == pytest.approx(mean_ap.item())
    for k, value in scores.rank_at.items():
        rate = RetrievalHitRate(empty_target_action=action, top_k=k)(*inputs, indexes=indexes)
        assert value == pytest.approx(rate.item())


def test_a_query_in_its_own_gallery_is_a_leak_that_the_mask_prevents():
    """The leak of `ref_includes_query=False`: random embeddings reach Rank@1 = 1."""
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    _, labels, same, allowed = people()
    z = F.normalize(torch.randn(40, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    calculator = AccuracyCalculator(include=("precision_at_1",), knn_func=CustomKNN(CosineSimilarity()))
    leak = calculator.get_accuracy(z, labels, z, labels, ref_includes_query=False)
    assert leak["precision_at_1"] == 1.0
    everything = torch.ones(40, 40, dtype=torch.bool)
    assert ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=everything).rank_at[1] == 1.0
    clean = ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=allowed)
    assert clean.rank_at[1] < 2 * clean.chance_rank_at[1] < 0.6


def test_items_of_one_recording_are_a_leak_that_the_mask_prevents():
    """Embeddings that tell recordings, not people."""
    _, _, same, allowed = people()
    own = F.normalize(torch.randn(20, 8, generator=torch.Generator().manual_seed(1)), dim=1)
    z = own.repeat_interleave(2, dim=0)
    leak = ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=~torch.eye(40, dtype=torch.bool))
    assert leak.rank_at[1] == 1.0
    assert ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=allowed).rank_at[1] < 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_verification_against_scikit_learn_and_torchmetrics(dtype):
    from sklearn.metrics import roc_auc_score
    from torchmetrics.classification import BinaryEER

    z, _, same, allowed = people(dtype=dtype)
    similarity = z @ z.T
    scores = verification_scores(similarity, same_NN=same, allowed_NN=allowed)
    pairs = [(i, j) for i in range(40) for j in range(i + 1, 40) if allowed[i, j]]
    genuine = [bool(same[i, j]) for i, j in pairs]
    values = [float(similarity[i, j]) for i, j in pairs]
    assert scores.auc == pytest.approx(roc_auc_score(genuine, values))
    # torchmetrics takes the nearest of the points between which the rates cross.
    oracle = BinaryEER()(torch.tensor(values).sigmoid(), torch.tensor(genuine).long())
    assert scores.eer == pytest.approx(oracle.item(), abs=2 / sum(genuine))
    assert (scores.num_genuine, scores.num_impostor) == (sum(genuine), len(genuine) - sum(genuine))


@pytest.mark.parametrize("dtype", DTYPES)
def test_distances_against_loops(dtype):
    z, _, same, allowed = people(dtype=dtype)
    distance, positive, negative = 1 - z @ z.T, same & allowed, ~same
    summary = distance_summary(distance, positive_NN=positive, negative_NN=negative)
    rows, everyone = distance.tolist(), range(40)
    positives = {i: [rows[i][j] for j in everyone if positive[i, j]] for i in everyone}
    negatives = {i: [rows[i][j] for j in everyone if negative[i, j]] for i in everyone}
    anchors = [i for i in everyone if positives[i]]
    closer = [np.mean([d < min(negatives[i]) for d in positives[i]]) for i in anchors]
    assert summary.num_anchors == len(anchors) == 36
    assert summary.intra_distance == pytest.approx(np.mean([d for i in everyone for d in positives[i]]))
    assert summary.inter_distance == pytest.approx(np.mean([d for i in everyone for d in negatives[i]]))
    assert summary.nearest_negative_distance == pytest.approx(np.mean([min(negatives[i]) for i in anchors]))
    assert summary.closer_positive_fraction == pytest.approx(np.mean(closer))
    accuracy = np.mean([min(positives[i]) < min(negatives[i]) for i in anchors])
    assert summary.nearest_neighbor_accuracy == pytest.approx(accuracy)
    ranking = ranking_scores(z @ z.T, relevant_QG=same, gallery_QG=allowed)
    assert summary.nearest_neighbor_accuracy == pytest.approx(ranking.rank_at[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_clustering_against_torchmetrics(dtype):
    from torchmetrics.functional.clustering import calinski_harabasz_score, davies_bouldin_score

    z, labels, _, _ = people(dtype=dtype)
    scores = clustering_scores(3 * z, labels, seed=0)
    assert scores.calinski_harabasz == pytest.approx(calinski_harabasz_score(z.double(), labels).item(), rel=1e-5)
    assert scores.davies_bouldin == pytest.approx(davies_bouldin_score(z.double(), labels).item(), rel=1e-5)


@pytest.mark.parametrize(("items", "expected"), [(5, 3.66), (20, 7.54)])
def test_clustering_of_random_labels_is_chance(items, expected):
    """Calinski-Harabasz is 1, and Davies-Bouldin what it is for isotropic embeddings of 64 dimensions."""
    z = torch.randn(20 * items, 64, generator=torch.Generator().manual_seed(0))
    scores = clustering_scores(z, torch.arange(20 * items) % 20, seed=1)
    assert scores.calinski_harabasz == pytest.approx(1.0, abs=0.1)
    assert scores.calinski_harabasz_chance == pytest.approx(1.0, abs=0.05)
    assert scores.davies_bouldin == pytest.approx(scores.davies_bouldin_chance, rel=0.05)
    assert scores.davies_bouldin_chance == pytest.approx(expected, rel=0.15)


def test_the_order_of_the_items_does_not_matter():
    z, labels, same, allowed = people()
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    shuffled = same[order][:, order], allowed[order][:, order]
    similarity = ((z @ z.T) * 4).round() / 4
    again = similarity[order][:, order]
    first = ranking_scores(similarity, relevant_QG=same, gallery_QG=allowed)
    second = ranking_scores(again, relevant_QG=shuffled[0], gallery_QG=shuffled[1])
    assert as_row(first, (1, 5, 10)) == pytest.approx(as_row(second, (1, 5, 10)))
    one = verification_scores(similarity, same_NN=same, allowed_NN=allowed)
    other = verification_scores(again, same_NN=shuffled[0], allowed_NN=shuffled[1])
    assert (one.auc, one.eer) == pytest.approx((other.auc, other.eer))
    assert clustering_scores(z[order], labels[order], seed=0).davies_bouldin == pytest.approx(
        clustering_scores(z, labels, seed=0).davies_bouldin
    )


def test_the_mean_cosine_against_loops():
    z, _, _, _ = people()
    cosines = [float(z[i] @ z[j]) for i in range(40) for j in range(40) if i != j]
    assert mean_cosine(2 * z) == pytest.approx(np.mean(cosines))
