"""Sources become data in memory; the test split only on request."""

from dataclasses import replace

import numpy as np
import pytest

from trainables.contract import Purpose
from trainables.data.errors import Split
from trainables.data.pairs import load
from trainables.data.pairs.load import load_pairs, load_test_pairs
from trainables.data.pairs.pairs import RawPairs, merge
from trainables.data.pairs.sources import AngiogramSource
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.data.pairs.vessel_tree import SEGMENTS

SOURCE = AngiogramSource(num_train=12, num_val=8, num_test=9, num_frames=2, seed=77)


@pytest.fixture
def reads(monkeypatch):
    """The splits that were read."""
    seen = []
    read = load._read
    monkeypatch.setattr(load, "_read", lambda source, split: seen.append(split) or read(source, split))
    load_pairs.cache_clear()
    return seen


def test_trials_of_one_process_read_train_and_val_once_and_test_never(reads):
    assert load_pairs(SOURCE) is load_pairs(SOURCE.model_copy())
    assert reads == [Split.TRAIN, Split.VAL]


def test_the_test_split_uses_the_words_of_train(reads):
    data, test = load_pairs(SOURCE, Purpose.SEARCH), load_test_pairs(SOURCE)
    assert reads == [Split.TRAIN, Split.VAL, Split.TEST]
    assert (len(data.train), len(data.val), len(test)) == (12, 8, 9)
    assert test.tokens_NL.max() < len(data.tokenizer)


def test_what_an_angiogram_brings(reads):
    data = load_pairs(SOURCE)
    assert data.segments == SEGMENTS
    assert data.train.labels_N is None
    assert data.train.videos_NTHW.shape == (12, 2, 32, 32)
    assert data.train.same_text(data.train.groups_N).diagonal().all()


def test_a_test_has_the_words_and_the_longest_text_of_the_search():
    data, test = load_pairs(SOURCE, Purpose.SEARCH), load_pairs(SOURCE, Purpose.TEST)
    assert test.train is data.train and test.tokenizer is data.tokenizer and test.longest == data.longest
    assert len(test.val) == 9 and test.val.tokens_NL.shape[1] <= data.longest


def test_longer_texts_of_test_are_cut(monkeypatch):
    read = load._read

    def longer(source, split):
        raw = read(source, split)
        return replace(raw, texts=[f"{text} and more" for text in raw.texts]) if split is Split.TEST else raw

    monkeypatch.setattr(load, "_read", longer)
    load_pairs.cache_clear()
    data, test = load_pairs(SOURCE, Purpose.SEARCH), load_pairs(SOURCE, Purpose.TEST)
    load_pairs.cache_clear()
    assert test.val.tokens_NL.shape[1] == data.longest
    assert all(text.endswith("and more") for text in test.val.texts)


def test_who_retrains_learns_words_and_items_of_val_too():
    data, both = load_pairs(SOURCE), load_pairs(SOURCE, Purpose.RETRAIN)
    assert both.train.texts == data.train.texts + data.val.texts and both.val.texts == data.val.texts
    assert set(data.tokenizer.words) <= set(both.tokenizer.words)
    assert Tokenizer.UNKNOWN not in both.val.tokens_NL


def test_classes_of_two_splits_stay_apart():
    first = RawPairs(videos=np.zeros((2, 1, 4, 4), np.float32), texts=["a", "b"], labels=[0, 1])
    second = replace(first, labels=[0, 0])
    assert merge(first, second).labels == [0, 1, 2, 2]
    assert merge(replace(first, labels=None), replace(second, labels=None)).labels is None
