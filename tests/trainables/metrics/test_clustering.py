import math

import pytest
import torch

from trainables.metrics.clustering import clustering_scores

LABELS = torch.arange(40) // 5


def random_embeddings(num=40, size=6):
    return torch.randn(num, size, generator=torch.Generator().manual_seed(0))


def test_classes_that_are_clusters_are_far_from_chance():
    centres = random_embeddings(8)
    scores = clustering_scores(centres[LABELS] + 0.1 * random_embeddings(), LABELS, seed=0)
    assert scores.calinski_harabasz > 20 * scores.calinski_harabasz_chance
    assert scores.davies_bouldin < scores.davies_bouldin_chance / 4


def test_the_length_of_the_embeddings_does_not_matter():
    z = random_embeddings()
    scaled = clustering_scores(z * torch.arange(1, 41)[:, None], LABELS, seed=0)
    assert scaled.davies_bouldin == pytest.approx(clustering_scores(z, LABELS, seed=0).davies_bouldin, rel=1e-5)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_constant_embeddings_get_no_good_number(value):
    scores = clustering_scores(torch.full((40, 6), value), LABELS, seed=0)
    assert scores.davies_bouldin == scores.davies_bouldin_chance == math.inf
    assert scores.calinski_harabasz == scores.calinski_harabasz_chance == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_embeddings_that_are_not_finite_get_no_number(value):
    z = random_embeddings()
    z[3, 2] = value
    scores = clustering_scores(z, LABELS, seed=0)
    assert math.isnan(scores.calinski_harabasz)
    assert math.isnan(scores.davies_bouldin)


def test_the_seed_decides_on_the_permutations():
    first, again, other = (clustering_scores(random_embeddings(), LABELS, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.davies_bouldin_chance != other.davies_bouldin_chance
    assert first.davies_bouldin == other.davies_bouldin


@pytest.mark.parametrize("labels", [torch.zeros(40), torch.arange(40)])
def test_too_few_or_too_many_classes_are_refused(labels):
    with pytest.raises(ValueError, match="from 2 to N - 1 classes"):
        clustering_scores(random_embeddings(), labels, seed=0)
