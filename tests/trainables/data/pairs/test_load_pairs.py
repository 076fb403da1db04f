"""Sources become data in memory; the test split only on request."""

import pytest

from trainables.data.errors import Split
from trainables.data.pairs import load
from trainables.data.pairs.load import load_pairs, load_test_pairs
from trainables.data.pairs.sources import AngiogramSource
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
    data, test = load_pairs(SOURCE), load_test_pairs(SOURCE)
    assert reads == [Split.TRAIN, Split.VAL, Split.TEST]
    assert (len(data.train), len(data.val), len(test)) == (12, 8, 9)
    assert test.tokens_NL.max() < len(data.tokenizer)


def test_what_an_angiogram_brings(reads):
    data = load_pairs(SOURCE)
    assert data.segments == SEGMENTS
    assert data.train.labels_N is None
    assert data.train.videos_NTHW.shape == (12, 2, 32, 32)
    assert data.train.same_text(data.train.groups_N).diagonal().all()
