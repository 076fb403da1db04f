"""Words and their pieces."""

import pytest

from trainables.data.texts.words import MAX_PIECES, piece_ids, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You don't say!!", ["you", "don't", "say", "!", "!"]),
        ("RT @some_body: see http://t.co/x?y=1 #NoWay", ["rt", "<person>", ":", "see", "<web>", "#noway"]),
        ("&amp;#8220;Hi&amp;#8221; &lt;3", ["“", "hi", "”", "<", "3"]),
        ("snake_case _", ["snake", "_", "case", "_"]),
        ("\U0001f602\U0001f602 naïve 日本", ["\U0001f602", "\U0001f602", "naïve", "日本"]),
    ],
)
def test_words(text, words):
    assert split_words(text) == words


def test_related_words_share_pieces():
    idiot, misspelt, other = (set(piece_ids(word)) for word in ("idiots", "idiotz", "kettle"))
    assert len(idiot & misspelt) > 5
    assert not idiot & other


def test_pieces_are_the_word_and_its_runs():
    # cat: itself; ^ca cat at$; ^cat cat$; ^cat$
    assert len(piece_ids("cat")) == 7
    assert len(piece_ids("at")) == 1
    assert len(piece_ids("x" * 200)) == MAX_PIECES


def test_numbers_are_the_same_on_every_machine_and_never_the_padding():
    assert piece_ids("at") == [1784151356]
    assert all(0 < number < 2**32 for number in piece_ids("#somethinglong"))
