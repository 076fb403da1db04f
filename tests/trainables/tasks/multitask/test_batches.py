"""The batches that the config asks for, and classes that cannot make them."""

import numpy as np
import pytest
import torch

from trainables.data.errors import DataError
from trainables.data.pairs.pairs import RawPairs, tokenize
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.tasks.multitask.batches import build_batching
from trainables.tasks.multitask.config import Config


def pairs(labels):
    texts = [f"item {i}" for i in range(len(labels))]
    raw = RawPairs(videos=np.zeros((len(labels), 1, 8, 8), np.float32), texts=texts, labels=labels)
    return tokenize(raw, Tokenizer.fit(texts))


def built(labels, **fields):
    config = Config.model_validate({"data": {"source": "omniglot", "root": "somewhere"}, **fields})
    return build_batching(pairs(labels), config, split="train")


def test_without_items_per_class_batches_are_shuffled():
    batching = built([0] * 10, batch_size=4)
    batches = list(batching.draw(torch.Generator().manual_seed(0)))
    assert [len(batch) for batch in batches] == [4, 4]
    assert batching.num_batches == 2
    assert len(torch.cat(batches).unique()) == 8
    assert batching.num_excluded == 0


def test_a_split_smaller_than_a_batch_is_one_batch():
    assert built([0, 1, 2], batch_size=8).size == 3
    assert built([0, 0, 1, 1, 2, 3], batch_size=8, items_per_class=2).size == 4


def test_by_class():
    batching = built([0, 0, 1, 1, 2, 2, 2, 3], batch_size=4, items_per_class=2)
    batches = list(batching.draw(torch.Generator().manual_seed(0)))
    assert len(batches) == batching.num_batches == 1
    assert batching.num_excluded == 1


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1, 2], [0, 1, 2]])
def test_k_larger_than_the_classes(labels):
    message = (
        rf"train of data\.source omniglot: the largest of . classes has {labels.count(0)} items; items_per_class is 3"
    )
    with pytest.raises(DataError, match=message):
        built(labels, batch_size=6, items_per_class=3)
