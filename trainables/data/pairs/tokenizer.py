"""A small word-level tokenizer: words, whole numbers, punctuation marks. Must not know where texts come from."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

_TOKEN = re.compile(r"\d+|[^\W\d_]+|[^\w\s]|_")
_SPACE_BEFORE = re.compile(r" (?=[%.,;:!?)])|(?<=\() ")


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Words to ids and back. Ids 0 to 3 are padding, begin, end and unknown."""

    PAD: ClassVar[int] = 0
    BEGIN: ClassVar[int] = 1
    END: ClassVar[int] = 2
    UNKNOWN: ClassVar[int] = 3

    words: tuple[str, ...]

    @classmethod
    def fit(cls, texts: Iterable[str], *, max_words: int = 20_000) -> "Tokenizer":
        """The vocabulary of `texts`, most frequent words first; equal counts in alphabetical order."""
        counts = Counter(word for text in texts for word in _split(text))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(words=("<pad>", "<begin>", "<end>", "<unknown>", *ranked[:max_words]))

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Ids, int64 (texts, longest): begin, words, end, padding."""
        ids = {word: i for i, word in enumerate(self.words)}
        rows = [[self.BEGIN, *(ids.get(word, self.UNKNOWN) for word in _split(text)), self.END] for text in texts]
        tokens_NL = torch.full((len(rows), max(map(len, rows), default=0)), self.PAD)
        for i, row in enumerate(rows):
            tokens_NL[i, : len(row)] = torch.tensor(row)
        return tokens_NL

    def decode(self, tokens_NL: Tensor) -> list[str]:
        """Texts up to the end token, in lower case, with the usual spaces around punctuation."""
        return [self._decode_one(row) for row in tokens_NL.tolist()]

    def _decode_one(self, row: list[int]) -> str:
        end = row.index(self.END) if self.END in row else len(row)
        words = [self.words[i] for i in row[:end] if i not in (self.PAD, self.BEGIN)]
        return _SPACE_BEFORE.sub("", " ".join(words))


def _split(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())
