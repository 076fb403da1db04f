"""From a text to words, and from a word to the numbers of its pieces. Nothing is fitted, so that nothing can leak.

A word's pieces are the word itself and its runs of 3 to 5 characters with marks at both ends: a misspelt or unseen
word shares most of them with its relatives. Source: Bojanowski et al. 2017 (fastText), arXiv:1607.04606.
"""

import html
import re
import zlib
from collections.abc import Sequence

PIECE_SIZES = (3, 4, 5)
MAX_PIECES = 30
_WEB_ADDRESS = re.compile(r"https?://\S+")
_MENTION = re.compile(r"@\w+")
_WORD = re.compile(r"<web>|<person>|#?[^\W_]+(?:'[^\W_]+)?|[^\w\s]|_")


def split_words(text: str) -> list[str]:
    """Lower-case words and single marks; web addresses and @names become one word each, #tags keep their mark.

    HTML entities are decoded twice, since scraped text often has them twice (`&amp;#8220;`).
    """
    plain = html.unescape(html.unescape(text)).lower()
    return _WORD.findall(_MENTION.sub(" <person> ", _WEB_ADDRESS.sub(" <web> ", plain)))


def piece_ids(word: str) -> list[int]:
    """The numbers of a word's pieces, each in 1 .. 2^32 - 1; 0 is left for padding. At most `MAX_PIECES`."""
    pieces = [word, *_runs(f"^{word}$")] if len(word) > 2 else [word]
    return [max(1, zlib.crc32(piece.encode())) for piece in pieces[:MAX_PIECES]]


def _runs(marked: str) -> Sequence[str]:
    return [marked[start : start + size] for size in PIECE_SIZES for start in range(len(marked) - size + 1)]
