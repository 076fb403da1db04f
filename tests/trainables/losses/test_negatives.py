import pytest
import torch

from trainables.losses.negatives import hardest_negatives, num_kept


@pytest.mark.parametrize(
    ("num", "ratio", "kept"),
    [
        (10, 0.1, 1),
        (10, 0.11, 2),
        (10, 1.0, 10),
        (3, 0.3, 1),
        (100, 0.07, 7),
        (100, 0.29, 29),
        (127, 1e-9, 1),
        (0, 0.5, 1),
    ],
)
@pytest.mark.parametrize("as_tensor", [None, torch.float32, torch.float64])
def test_number_kept_is_the_ceiling_despite_rounding(num, ratio, kept, as_tensor):
    ratio = ratio if as_tensor is None else torch.tensor(ratio, dtype=as_tensor)
    assert int(num_kept(torch.tensor(num), ratio=ratio)) == kept


def test_the_most_similar_stay():
    similarity = torch.tensor([[0.9, 0.1, 0.8, -0.2, 0.5]])
    negative = torch.tensor([[False, True, True, True, True]])
    kept = hardest_negatives(similarity, negative, ratio=0.5)
    assert kept.tolist() == [[False, False, True, False, True]]


def test_negatives_below_zero_count_like_others():
    kept = hardest_negatives(torch.tensor([[1.0, -0.9, -0.1]]), torch.tensor([[False, True, True]]), ratio=0.5)
    assert kept.tolist() == [[False, False, True]]


def test_ties_go_to_the_first_column():
    negative = torch.ones(3, 1001, dtype=torch.bool)
    negative[:, 0] = False
    kept = hardest_negatives(torch.zeros(3, 1001), negative, ratio=0.5)
    assert kept[:, 1:501].all()
    assert not kept[:, 501:].any()


def test_a_row_without_negatives_keeps_none():
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert not hardest_negatives(torch.zeros(2, 3), none, ratio=0.5).any()


def test_ratio_one_is_the_same_as_a_number_and_as_a_tensor():
    similarity, negative = torch.rand(4, 4), ~torch.eye(4, dtype=torch.bool)
    for ratio in (1, 1.0, torch.tensor(1.0)):
        assert torch.equal(hardest_negatives(similarity, negative, ratio=ratio), negative)
