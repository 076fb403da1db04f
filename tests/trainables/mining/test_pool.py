import pytest
import torch

from trainables.mining.pool import Items, Pool, chosen_mask, negative_candidates, positive_candidates


def batch(*rows):
    return Items(*(torch.tensor(column) for column in zip(*rows, strict=True)))


ANCHOR = batch((0, 10, 100))


@pytest.mark.parametrize(
    ("candidate", "positive", "negative"),
    [
        ((0, 11, 101), True, False),
        ((0, 10, 101), False, False),
        ((0, 10, 100), False, False),
        ((0, 11, 100), False, False),
        ((1, 12, 102), False, True),
        ((1, 10, 103), False, False),
    ],
    ids=["other recording", "same recording", "itself", "its copy", "other class", "other class, same recording"],
)
def test_who_may_be_a_pair(candidate, positive, negative):
    assert positive_candidates(ANCHOR, batch(candidate)).tolist() == [[positive]]
    assert negative_candidates(ANCHOR, batch(candidate)).tolist() == [[negative]]


def test_no_candidate_is_both(items):
    anchors = items.select(torch.tensor([3, 30]))
    positive, negative = positive_candidates(anchors, items), negative_candidates(anchors, items)
    assert positive.shape == negative.shape == (2, 40)
    assert not (positive & negative).any()
    assert positive.any(dim=1).all()
    assert negative.any(dim=1).all()


def test_items_are_selected_by_index_or_mask(items):
    assert items.select(torch.tensor([7, 1])).items_N.tolist() == [7, 1]
    assert len(items.select(items.labels_N == 2)) == 5


def test_items_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one row of numbers each"):
        Items(torch.arange(3), torch.arange(3), torch.arange(2))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"distance_AN": torch.zeros(2, 4)}, "differ in shape"),
        ({"negative_AN": torch.ones(3, 3, dtype=torch.bool)}, "differ in shape"),
        ({"negative_AN": torch.ones(2, 3, dtype=torch.bool)}, "both a positive and a negative"),
        ({"age_N": torch.zeros(2)}, "ages for 3 candidates"),
    ],
)
def test_a_pool_that_does_not_fit_together_is_refused(fault, message):
    good = {"positive_AN": torch.ones(2, 3, dtype=torch.bool), "negative_AN": torch.zeros(2, 3, dtype=torch.bool)}
    Pool(**good)
    with pytest.raises(ValueError, match=message):
        Pool(**good | fault)


def test_a_choice_becomes_a_mask():
    assert chosen_mask(torch.tensor([2, -1]), 3).tolist() == [[False, False, True], [False, False, False]]


def test_items_move_between_devices(items):
    moved = items.to("meta")
    assert {moved.labels_N.device.type, moved.recordings_N.device.type, moved.items_N.device.type} == {"meta"}
    assert items.to("cpu").items_N.tolist() == items.items_N.tolist()
