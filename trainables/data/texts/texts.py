"""Labelled texts, as every source delivers them and as tasks use them.

Shape suffixes: N texts, L words of the longest, T tasks, V different words, P pieces of a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.data.errors import DataError
from trainables.data.texts.words import piece_ids, split_words

MISSING = -1
"""The label of a text that has none for a task."""
MAX_WORDS = 128
"""Words of a text that are read; the rest is cut off, and the text counted."""


@dataclass(frozen=True, slots=True)
class LabelTask:
    """One thing to be told of a text: its name, and its classes in the order of their numbers."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawTexts:
    """One split before words. `labels_NT` is int64, `MISSING` where a text has no label."""

    texts: Sequence[str]
    labels_NT: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Texts:
    """One split, ready to train on.

    Attributes:
        words_NL: int64; place of each word in `pieces_VP`, 0 for padding.
        pieces_VP: int64; numbers of the pieces of each different word, 0 for padding. Row 0 is all padding.
        labels_NT: int64, `MISSING` where there is none.
        num_truncated: texts that had more than `MAX_WORDS` words.
    """

    words_NL: Tensor
    pieces_VP: Tensor
    labels_NT: Tensor
    num_truncated: int

    def __len__(self) -> int:
        return len(self.words_NL)


@dataclass(frozen=True, slots=True)
class TextData:
    """What a trial learns from and is judged on. The test split is loaded apart."""

    train: Texts
    val: Texts
    tasks: tuple[LabelTask, ...]

    def class_counts(self, task: int) -> list[int]:
        """How many training labels of each class a task has."""
        labels_N = self.train.labels_NT[:, task]
        return torch.bincount(labels_N[labels_N >= 0], minlength=len(self.tasks[task].classes)).tolist()


def merge(first: RawTexts, second: RawTexts) -> RawTexts:
    """The items of both."""
    return RawTexts([*first.texts, *second.texts], np.concatenate([first.labels_NT, second.labels_NT]))


def tokenize(raw: RawTexts) -> Texts:
    """Cut texts into words and look up the pieces of each different word."""
    places: dict[str, int] = {}
    rows = [split_words(text) for text in raw.texts]
    longest = min(MAX_WORDS, max(map(len, rows)))
    words_NL = np.zeros((len(rows), longest), dtype=np.int64)
    for row, words in zip(words_NL, rows, strict=True):
        kept = [places.setdefault(word, len(places) + 1) for word in words[:MAX_WORDS]]
        row[: len(kept)] = kept
    return Texts(
        words_NL=torch.from_numpy(words_NL),
        pieces_VP=_piece_table(list(places)),
        labels_NT=torch.from_numpy(raw.labels_NT),
        num_truncated=sum(len(words) > MAX_WORDS for words in rows),
    )


def check_labelled(raw: RawTexts, tasks: Sequence[LabelTask], *, where: str) -> None:
    """Every task must have a label in a split.

    Raises: DataError: one has none.
    """
    for number, task in enumerate(tasks):
        if not (raw.labels_NT[:, number] >= 0).any():
            raise DataError(f"{where}: none of the {len(raw.texts)} texts has a label in {task.name!r}; expected some")


def _piece_table(words: Sequence[str]) -> Tensor:
    pieces = [[0], *(piece_ids(word) for word in words)]
    table_VP = np.zeros((len(pieces), max(map(len, pieces))), dtype=np.int64)
    for row, numbers in zip(table_VP, pieces, strict=True):
        row[: len(numbers)] = numbers
    return torch.from_numpy(table_VP)
