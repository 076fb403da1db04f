"""Large matrices by their rows: as many chunks as memory asks for, and the same values from every metric."""

import pytest
import torch

from trainables.metrics import rows
from trainables.metrics.cosines import mean_cosines
from trainables.metrics.distances import distance_summary
from trainables.metrics.ranking import query_scores, ranking_scores
from trainables.metrics.rows import Rows, chunks, products

NUM = 50


@pytest.fixture
def embeddings():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(NUM, 6, generator=generator, dtype=torch.float64)
    return z, torch.randint(9, (NUM,), generator=generator), torch.arange(NUM) // 2


def masks(labels, records):
    shape = (NUM, NUM)
    relevant = Rows(shape, lambda some: labels[some, None] == labels)
    gallery = Rows(shape, lambda some: records[some, None] != records)
    return relevant, gallery


@pytest.mark.parametrize(("budget", "sizes"), [(10**6, [NUM]), (20 * NUM, [20, 20, 10]), (1, [1] * NUM)])
def test_chunks_are_as_large_as_the_budget_and_cover_every_row_once(monkeypatch, budget, sizes):
    monkeypatch.setattr(rows, "_CHUNK_ELEMENTS", budget)
    matrix = torch.arange(NUM * NUM).reshape(NUM, NUM)
    parts = [matrix[some] for some in chunks(matrix)]
    assert [len(part) for part in parts] == sizes
    assert torch.cat(parts).equal(matrix)


def test_rows_take_slices_and_indices(embeddings):
    z, _, _ = embeddings
    cosines = products(z, z)
    assert (len(cosines), cosines.shape) == (NUM, (NUM, NUM))
    torch.testing.assert_close(cosines[3:7], (z @ z.T)[3:7])
    torch.testing.assert_close(cosines[torch.tensor([4, 1])], (z @ z.T)[[4, 1]])


@pytest.mark.parametrize("few", [0, 64], ids=["by sorting", "by counting"])
def test_ranking_by_rows(monkeypatch, embeddings, few):
    z, labels, records = embeddings
    similarity = (z @ z.T).round()
    relevant, gallery = masks(labels, records)
    whole = ranking_scores(similarity, relevant_QG=relevant[:], gallery_QG=gallery[:])
    monkeypatch.setattr(rows, "_CHUNK_ELEMENTS", 7 * NUM)
    monkeypatch.setattr("trainables.metrics.ranking._FEW", few)
    by_rows = ranking_scores(Rows(similarity.shape, similarity.__getitem__), relevant_QG=relevant, gallery_QG=gallery)
    assert by_rows == whole


def test_both_ways_to_count_agree_where_similarities_are_missing(monkeypatch, embeddings):
    z, labels, records = embeddings
    similarity = (z @ z.T).round()
    similarity[::3, ::4] = torch.nan
    similarity[5] = torch.nan
    relevant, gallery = masks(labels, records)
    counted = query_scores(similarity, relevant_QG=relevant, gallery_QG=gallery)
    monkeypatch.setattr("trainables.metrics.ranking._FEW", 0)
    ordered = query_scores(similarity, relevant_QG=relevant, gallery_QG=gallery)
    assert counted.average_precision.equal(ordered.average_precision)
    assert counted.found[5].equal(ordered.found[5])
    assert counted.average_precision[5] == 0


def test_distances_and_cosines_by_rows(monkeypatch, embeddings):
    z, labels, records = embeddings
    relevant, gallery = masks(labels, records)
    positive = Rows((NUM, NUM), lambda some: relevant[some] & gallery[some])
    negative = Rows((NUM, NUM), lambda some: ~relevant[some] & gallery[some])
    distance = torch.cdist(z, z)
    whole = distance_summary(distance, positive_NN=positive[:], negative_NN=negative[:])
    cosines = mean_cosines(z, z.flip(1), equivalent_BB=relevant[:])
    monkeypatch.setattr(rows, "_CHUNK_ELEMENTS", 7 * NUM)
    by_rows = distance_summary(Rows(distance.shape, distance.__getitem__), positive_NN=positive, negative_NN=negative)
    assert by_rows.num_anchors == whole.num_anchors
    assert by_rows.intra_distance == pytest.approx(whole.intra_distance)
    assert by_rows.inter_distance == pytest.approx(whole.inter_distance)
    assert by_rows.closer_positive_fraction == pytest.approx(whole.closer_positive_fraction)
    assert by_rows.nearest_negative_distance == pytest.approx(whole.nearest_negative_distance)
    chunked = mean_cosines(z, z.flip(1), equivalent_BB=relevant)
    assert chunked.matched == pytest.approx(cosines.matched)
    assert chunked.unmatched == pytest.approx(cosines.unmatched)
