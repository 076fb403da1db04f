"""From sources to tensors."""

import pytest
import torch

from trainables.contract import Purpose
from trainables.data.errors import DataError
from trainables.data.texts.load import load_test_texts, load_texts
from trainables.data.texts.sources import GeneratedSource
from trainables.data.texts.texts import MAX_WORDS, LabelTask, RawTexts, check_labelled, tokenize
from trainables.data.texts.words import piece_ids

SMALL = GeneratedSource(num_train=60, num_val=40, num_test=50)


def raw(texts):
    return RawTexts(texts, torch.full((len(texts), 1), -1).numpy())


def test_words_point_at_their_pieces():
    texts = tokenize(raw(["the cat", "cat"]))
    assert texts.words_NL.tolist() == [[1, 2], [2, 0]]
    assert texts.pieces_VP[0].eq(0).all()
    cat = texts.pieces_VP[2]
    assert cat[cat > 0].tolist() == piece_ids("cat")


def test_long_texts_are_cut_and_counted():
    texts = tokenize(raw(["a " * (MAX_WORDS + 1), "b " * MAX_WORDS]))
    assert texts.words_NL.shape == (2, MAX_WORDS)
    assert texts.num_truncated == 1


def test_all_splits():
    data = load_texts(SMALL)
    assert (len(data.train), len(data.val), len(load_test_texts(SMALL))) == (60, 40, 50)
    assert data.train.labels_NT.shape == (60, len(data.tasks))
    assert load_texts(SMALL) is data


def test_class_counts_leave_missing_labels_out():
    data = load_texts(SMALL)
    for number in range(len(data.tasks)):
        assert sum(data.class_counts(number)) == int((data.train.labels_NT[:, number] >= 0).sum())


def test_a_split_without_labels_of_a_task_is_refused():
    with pytest.raises(DataError, match=r"x\.csv, val: none of the 2 texts has a label in 'mood'"):
        check_labelled(raw(["a", "b"]), [LabelTask("mood", ("good", "bad"))], where="x.csv, val")


def test_a_test_has_train_and_other_texts_and_who_retrains_learns_from_those_of_val_too():
    data, test, both = (load_texts(SMALL, purpose) for purpose in Purpose)
    assert test.train is data.train and len(test.val) == 50
    assert len(both.train) == 100 and len(both.val) == 40
    assert torch.equal(both.train.labels_NT, torch.cat([data.train.labels_NT, data.val.labels_NT]))
    assert both.train.num_truncated == data.train.num_truncated + data.val.num_truncated
