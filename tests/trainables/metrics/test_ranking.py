import pytest
import torch

from trainables.metrics.ranking import InvalidQueries, query_scores, ranking_scores

ALL = torch.ones(1, 5, dtype=torch.bool)
SCORES = torch.tensor([[0.9, 0.8, 0.7, 0.6, 0.5]])


def relevant(*places):
    mask = torch.zeros(1, 5, dtype=torch.bool)
    mask[0, list(places)] = True
    return mask


def rank(similarity=SCORES, **settings):
    masks = {"relevant_QG": relevant(1, 3), "gallery_QG": ALL}
    return ranking_scores(similarity, **masks | settings)


def test_one_query():
    scores = rank()
    assert scores.rank_at == {1: 0.0, 5: 1.0, 10: 1.0}
    assert scores.mean_average_precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert scores.map_at_r == pytest.approx(1 / 2 / 2)
    assert (scores.num_queries, scores.gallery_size) == (1, 5)


def test_what_is_outside_the_gallery_is_not_ranked_and_not_relevant():
    gallery = ALL.clone()
    gallery[0, 0] = gallery[0, 3] = False
    scores = rank(gallery_QG=gallery)
    assert scores.rank_at[1] == scores.mean_average_precision == scores.map_at_r == 1.0
    assert scores.gallery_size == 3


def test_chance_of_one_query():
    scores = rank()
    assert scores.chance_rank_at == pytest.approx({1: 2 / 5, 5: 1.0, 10: 1.0})
    orders = [(i, j) for i in range(1, 6) for j in range(i + 1, 6)]
    precision = [(1 / i + 2 / j) / 2 for i, j in orders]
    at_r = [((1 / i if i <= 2 else 0) + (2 / j if j <= 2 else 0)) / 2 for i, j in orders]
    assert scores.chance_mean_average_precision == pytest.approx(sum(precision) / 10)
    assert scores.chance_map_at_r == pytest.approx(sum(at_r) / 10)


def test_a_gallery_of_nothing_but_relevant_items():
    scores = rank(relevant_QG=ALL)
    assert [scores.map_at_r, scores.chance_map_at_r, scores.chance_rank_at[1]] == pytest.approx([1.0] * 3)
    one = torch.ones(1, 1, dtype=torch.bool)
    single = ranking_scores(torch.ones(1, 1), relevant_QG=one, gallery_QG=one)
    assert [single.mean_average_precision, single.chance_mean_average_precision] == pytest.approx([1.0] * 2)


def test_invalid_queries_are_left_out_and_counted_or_counted_as_misses():
    similarity, gallery = SCORES.repeat(4, 1), ALL.repeat(4, 1)
    mask = torch.cat([relevant(0), relevant(), relevant(), relevant()])
    valid = ranking_scores(similarity, relevant_QG=mask, gallery_QG=gallery)
    assert (valid.rank_at[1], valid.map_at_r) == (1.0, 1.0)
    assert (valid.num_queries, valid.num_excluded_queries, valid.num_unanswerable_queries) == (1, 3, 0)
    missed = ranking_scores(similarity, relevant_QG=mask, gallery_QG=gallery, invalid=InvalidQueries.MISSED)
    assert (missed.rank_at[1], missed.map_at_r) == (0.25, 0.25)
    assert (missed.num_queries, missed.num_excluded_queries, missed.num_unanswerable_queries) == (4, 0, 3)
    assert missed.chance_rank_at[1] == pytest.approx(valid.chance_rank_at[1] / 4)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_constant_similarities_get_no_credit_for_the_order_of_the_data(value):
    labels = torch.arange(12) // 3
    same, others = labels[:, None] == labels, ~torch.eye(12, dtype=torch.bool)
    scores = ranking_scores(torch.full((12, 12), value), relevant_QG=same, gallery_QG=others)
    assert scores.rank_at[1] == scores.rank_at[5] == scores.map_at_r == 0.0
    assert scores.mean_average_precision < scores.chance_mean_average_precision


def test_nan_embeddings_find_nothing():
    assert rank(torch.full((1, 5), torch.nan)).rank_at[10] == 0.0
    assert rank(torch.full((1, 5), torch.nan)).mean_average_precision == 0.0


def test_a_nan_is_never_a_hit_and_never_helps():
    hidden = SCORES.clone()
    hidden[0, 1] = torch.nan
    assert rank(hidden).mean_average_precision == pytest.approx(1 / 3 / 2)
    helped = SCORES.clone()
    helped[0, 0] = torch.nan
    assert rank(helped).rank_at[1] == 0.0


def test_many_queries_are_ranked_in_chunks():
    similarity = torch.rand(2500, 30, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(2500, 30, dtype=torch.bool)
    mask[torch.arange(2500), torch.arange(2500) % 30] = True
    gallery = torch.ones(2500, 30, dtype=torch.bool)
    scores = ranking_scores(similarity, relevant_QG=mask, gallery_QG=gallery)
    assert scores.num_queries == 2500
    assert scores.rank_at[5] == pytest.approx(scores.chance_rank_at[5], abs=0.03)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"relevant_QG": relevant()}, "none of the 1 queries"),
        ({"gallery_QG": ~ALL}, "none of the 1 queries"),
        ({"ks": (1, 0)}, "k >= 1"),
        ({"gallery_QG": ALL[:, :4]}, "differ in shape"),
    ],
)
def test_what_can_not_be_scored_is_refused(fault, message):
    with pytest.raises(ValueError, match=message):
        rank(**fault)


def test_query_by_query_those_without_anything_to_find_get_nothing():
    relevant_QG = torch.stack([relevant(0)[0], relevant()[0], relevant(1, 3)[0]])
    found = query_scores(SCORES.expand(3, -1), relevant_QG=relevant_QG, gallery_QG=ALL.expand(3, -1), ks=(1, 2))
    assert {k: hits.tolist() for k, hits in found.found.items()} == {1: [1, 0, 0], 2: [1, 0, 1]}
    assert found.average_precision.tolist() == pytest.approx([1, 0, 1 / 2])
    assert found.average_precision_at_r.tolist() == pytest.approx([1, 0, 1 / 4])
