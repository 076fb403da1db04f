"""Tweets: labels from votes, folds, and the real file where it is at hand."""

import numpy as np
import pytest

from trainables.data.errors import DataError, Split
from trainables.data.texts.sources import TweetsSource
from trainables.data.texts.tweets import TWEET_TASKS, read_tweets

HEADER = ",count,hate_speech,offensive_language,neither,class,tweet"


@pytest.fixture
def write(tmp_path):
    def write(rows, **fields):
        (tmp_path / "labeled_data.csv").write_text("\n".join([HEADER, *rows]))
        return TweetsSource(source="tweets", root=str(tmp_path), **fields)

    return write


def rows(num=30):
    """Kinds in turn, unanimous but for every fifth."""
    votes = ["3,0,0,0", "0,3,0,1", "0,0,3,2", "2,1,0,0", "1,2,0,1"]
    return [f"{i},3,{votes[i % 5]},text number {i}" for i in range(num)]


def test_labels_come_from_the_class_and_the_votes(write):
    source = write(rows())
    texts, labels = [], []
    for split in Split:
        raw = read_tweets(source, split)
        texts += raw.texts
        labels += raw.labels_NT.tolist()
    by_text = dict(zip(texts, labels, strict=True))
    assert len(texts) == len(by_text) == 30
    assert by_text["text number 0"] == [0, 1, 0, 0]
    assert by_text["text number 1"] == [1, 0, 0, 0]
    assert by_text["text number 2"] == [2, 0, 1, 0]
    assert by_text["text number 3"] == [0, 1, 0, 1]
    assert by_text["text number 4"] == [1, 1, 0, 1]
    assert [task.name for task in TWEET_TASKS] == ["kind", "hate_vote", "clean_vote", "disputed"]


def test_the_folds_share_no_tweet_and_cover_all(write):
    folds = [read_tweets(write(rows(), fold=fold), Split.VAL).texts for fold in range(5)]
    assert len(set().union(*folds)) == sum(map(len, folds)) == 30
    assert {len(fold) for fold in folds} == {6}


def test_without_a_test_split_all_else_is_train(write):
    source = write(rows(), fold=4, hold_out_test=False)
    assert len(read_tweets(source, Split.TRAIN).texts) == 24
    with pytest.raises(DataError, match="no test split when hold_out_test is false"):
        read_tweets(source, Split.TEST)


def test_the_seed_decides_the_folds(write):
    first, same, other = (read_tweets(write(rows(), split_seed=seed), Split.VAL).texts for seed in (0, 0, 1))
    assert first == same != other


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("9,3,0,3,0,7,x", r"csv:32: class 7 with votes \[0, 3, 0\]"),
        ("9,3,0,0,0,1,x", r"csv:32: class 1 with votes \[0, 0, 0\]"),
        ("9,3,0,many,0,1,x", r"csv:32: offensive_language is 'many'; expected a whole number"),
        ("9,3,0,3,0,1, ", r"csv:32: the tweet is empty"),
        ("9,3,0,3", r"csv:32: 4 cells; expected 7"),
    ],
)
def test_faults_are_named_with_their_line(write, row, message):
    with pytest.raises(DataError, match=message):
        read_tweets(write([*rows(), row]), Split.TRAIN)


def test_too_few_of_a_class_for_the_folds(write):
    with pytest.raises(DataError, match="fewer than 5 tweets"):
        read_tweets(write(rows(10)), Split.TRAIN)


def test_the_real_file(real_tweets):
    raws = [read_tweets(TweetsSource(source="tweets", root=real_tweets), split) for split in Split]
    labels = np.concatenate([raw.labels_NT for raw in raws])
    assert len(labels) == 24_783
    assert np.bincount(labels[:, 0]).tolist() == [1430, 19190, 4163]
    assert labels[:, 1:].sum(axis=0).tolist() == [4993, 5891, 7301]
