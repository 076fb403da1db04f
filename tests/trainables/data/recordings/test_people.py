"""People are split, each into one split, and folds cover everybody."""

import pytest

from trainables.data.errors import DataError, Split
from trainables.data.recordings.people import split_people
from trainables.data.recordings.sources import PeopleSplit

PEOPLE = [f"p{number}" for number in range(20)] * 3


@pytest.mark.parametrize("fold", [0, 1, 2, 3])
def test_nobody_is_in_two_splits_and_nobody_is_lost(fold):
    parts = split_people(PEOPLE, PeopleSplit(num_val_people=5, num_test_people=4, fold=fold), where="x")
    assert [len(parts[split]) for split in (Split.TRAIN, Split.VAL, Split.TEST)] == [11, 5, 4]
    assert frozenset().union(*parts.values()) == set(PEOPLE)


def test_the_folds_cover_everybody_once():
    val = [split_people(PEOPLE, PeopleSplit(num_val_people=5, fold=fold), where="x")[Split.VAL] for fold in range(4)]
    assert sum(map(len, val)) == len(frozenset().union(*val)) == 20


def test_the_seed_shuffles_and_the_order_of_files_does_not():
    first = split_people(PEOPLE, PeopleSplit(num_val_people=5), where="x")
    assert split_people(PEOPLE[::-1], PeopleSplit(num_val_people=5), where="x") == first
    assert split_people(PEOPLE, PeopleSplit(num_val_people=5, split_seed=1), where="x") != first


@pytest.mark.parametrize("split", [{"num_val_people": 19}, {"num_val_people": 5, "fold": 4}, {"num_test_people": 9}])
def test_too_few_people_is_an_error(split):
    with pytest.raises(DataError, match="here: 20 people"):
        split_people(PEOPLE, PeopleSplit(**{"num_val_people": 10} | split), where="here")
