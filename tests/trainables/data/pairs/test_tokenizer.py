"""Words to ids and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainables.data.pairs.tokenizer import Tokenizer


@pytest.mark.parametrize(
    "text",
    [
        "a 70% stenosis of the first diagonal branch.",
        "left main artery: 30% lesion, no other stenosis.",
        "there is a severe (90%) narrowing.",
        "uff pgf phf",
    ],
)
def test_text_survives(text):
    tokenizer = Tokenizer.fit([text])
    assert tokenizer.decode(tokenizer.encode([text])) == [text]


def test_numbers_are_single_words():
    assert "70" in Tokenizer.fit(["70% and 170%"]).words


def test_unknown_words_padding_and_order():
    tokenizer = Tokenizer.fit(["b b a", "a c b"])
    assert tokenizer.words[4:] == ("b", "a", "c")
    assert tokenizer.encode(["a z", "b"]).tolist() == [[1, 5, 3, 2], [1, 4, 2, 0]]


def test_the_vocabulary_can_be_limited():
    assert len(Tokenizer.fit(["a a b"], max_words=1)) == 5


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=126), max_size=20), min_size=1, max_size=4))
def test_words_survive_being_written_and_read_again(texts):
    tokenizer = Tokenizer.fit(texts)
    tokens = tokenizer.encode(texts)
    assert torch.equal(tokenizer.encode(tokenizer.decode(tokens)), tokens)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_any_text_can_be_encoded(texts):
    tokens = Tokenizer.fit(texts).encode(texts)
    assert tokens.shape[0] == len(texts)
    assert (tokens != Tokenizer.UNKNOWN).all()
