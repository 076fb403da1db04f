import pytest
import torch

from trainables.metrics import rows
from trainables.metrics.retrieval import QueryCounts, chance_recall_at_k, count_queries, recall_at_k

EYE = torch.eye(3, dtype=torch.bool)


def test_hits_within_k():
    similarity = torch.tensor([[0.9, 0.1, 0.0], [0.8, 0.5, 0.1], [0.9, 0.8, 0.1]])
    assert recall_at_k(similarity, EYE, ks=(1, 2, 3, 10)) == {1: 1 / 3, 2: 2 / 3, 3: 1.0, 10: 1.0}


def test_equal_embeddings_get_no_credit_for_their_order():
    assert recall_at_k(torch.ones(3, 3), EYE, ks=(1, 2, 3)) == {1: 0.0, 2: 0.0, 3: 1.0}


def test_ties_among_relevant_items_do_no_harm():
    relevant = torch.tensor([[True, True, False]])
    assert recall_at_k(torch.tensor([[0.5, 0.5, 0.1]]), relevant, ks=(1,)) == {1: 1.0}


def test_queries_with_nothing_to_find_are_left_out():
    relevant = EYE.clone()
    relevant[2] = False
    assert count_queries(relevant) == QueryCounts(valid=2, excluded=1)
    assert recall_at_k(torch.eye(3), relevant, ks=(1,)) == {1: 1.0}
    assert chance_recall_at_k(relevant, ks=(1,)) == {1: pytest.approx(1 / 3)}


def test_nan_is_never_a_hit_and_outranks_nothing():
    nan = float("nan")
    all_nan = torch.full((3, 3), nan)
    assert recall_at_k(all_nan, EYE, ks=(1, 3, 100)) == {1: 0.0, 3: 0.0, 100: 0.0}
    similarity = torch.tensor([[0.1, nan, nan], [0.0, nan, 0.0], [nan, 0.0, 0.5]])
    assert recall_at_k(similarity, EYE, ks=(1,)) == {1: 2 / 3}


def test_minus_infinity_is_a_score_like_others():
    similarity = torch.tensor([[-torch.inf, 0.0, 0.0]])
    assert recall_at_k(similarity, EYE[:1], ks=(2, 3)) == {2: 0.0, 3: 1.0}


def test_chunks_do_not_change_the_result(monkeypatch):
    similarity = torch.rand(50, 20, generator=torch.Generator().manual_seed(0))
    relevant = torch.rand(50, 20, generator=torch.Generator().manual_seed(1)) < 0.1
    whole = recall_at_k(similarity, relevant, ks=(1, 5))
    monkeypatch.setattr(rows, "_CHUNK_ELEMENTS", 7 * 20)
    assert recall_at_k(similarity, relevant, ks=(1, 5)) == whole


@pytest.mark.parametrize("k", [1, 5])
def test_rows_give_what_the_matrix_gives(monkeypatch, k):
    """Embeddings alone, with labels: neither the cosines nor the relevance exist as a whole."""
    generator = torch.Generator().manual_seed(0)
    queries, gallery = (torch.randn(60, 8, generator=generator).round(decimals=1) for _ in range(2))
    labels = torch.randint(12, (60,), generator=generator)
    relevant = labels[:, None] == labels
    whole = recall_at_k(queries @ gallery.T, relevant, ks=(k,))
    monkeypatch.setattr(rows, "_CHUNK_ELEMENTS", 7 * 60)
    by_rows = rows.Rows((60, 60), lambda some: labels[some, None] == labels)
    assert recall_at_k(rows.products(queries, gallery), by_rows, ks=(k,)) == whole
    assert count_queries(by_rows) == count_queries(relevant)
    assert chance_recall_at_k(by_rows, ks=(k,)) == chance_recall_at_k(relevant, ks=(k,))


def test_the_given_matrix_is_left_alone():
    similarity = torch.eye(3)
    recall_at_k(similarity, EYE, ks=(1,))
    assert similarity.equal(torch.eye(3))


def test_chance_is_exact():
    relevant = torch.tensor([[True, True, False, False, False]])
    assert chance_recall_at_k(relevant, ks=(1, 2, 4, 9)) == pytest.approx({1: 0.4, 2: 0.7, 4: 1.0, 9: 1.0})


def test_refused_input():
    with pytest.raises(ValueError, match="none of the 3 queries"):
        recall_at_k(torch.eye(3), ~EYE & EYE, ks=(1,))
    with pytest.raises(ValueError, match="none of the 3 queries"):
        chance_recall_at_k(~EYE & EYE, ks=(1,))
    with pytest.raises(ValueError, match="k >= 1"):
        recall_at_k(torch.eye(3), EYE, ks=(0, 1))
    with pytest.raises(ValueError, match="differ in shape"):
        recall_at_k(torch.eye(4), EYE, ks=(1,))
