"""Tweets of the hate speech data, with four tasks made from the class and the votes of their annotators.

Each tweet was seen by three or more people, who said hate, offensive or neither.

| task | classes | from |
|---|---|---|
| kind | hate, offensive, neither | the class of the file: what most annotators said |
| hate_vote | no, yes | whether any annotator said hate |
| clean_vote | no, yes | whether any annotator said neither |
| disputed | no, yes | whether the annotators disagreed |

Source: Davidson et al. 2017, "Automated hate speech detection and the problem of offensive language".
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from trainables.data.errors import DataError, Split
from trainables.data.texts.sources import NUM_FOLDS, TweetsSource
from trainables.data.texts.table import Row, read_table
from trainables.data.texts.texts import LabelTask, RawTexts

TWEET_TASKS = (
    LabelTask("kind", ("hate", "offensive", "neither")),
    LabelTask("hate_vote", ("no", "yes")),
    LabelTask("clean_vote", ("no", "yes")),
    LabelTask("disputed", ("no", "yes")),
)
_COLUMNS = ("tweet", "class", "hate_speech", "offensive_language", "neither")


def read_tweets(source: TweetsSource, split: Split) -> RawTexts:
    """The tweets of one split, in the order of the file.

    Raises: DataError: the file is missing, damaged, or has a cell that is not as described; the split is empty.
    """
    rows = read_table(Path(source.root) / "labeled_data.csv", _COLUMNS)
    labels_NT = np.array([_labels(row) for row in rows], dtype=np.int64)
    chosen_K = _chosen(labels_NT[:, 0], source, split)
    texts = [_text(row) for row in rows]
    return RawTexts([texts[i] for i in chosen_K], labels_NT[chosen_K])


def _chosen(kind_N: NDArray[np.int64], source: TweetsSource, split: Split) -> NDArray[np.int64]:
    """Places of a split's tweets. Folds have the same share of each kind."""
    if np.bincount(kind_N, minlength=len(TWEET_TASKS[0].classes)).min() < NUM_FOLDS:
        raise DataError(f"{source.root}: a class has fewer than {NUM_FOLDS} tweets; expected one for each fold")
    folds = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=source.split_seed)
    parts = [part for _, part in folds.split(kind_N, kind_N)]
    test = (source.fold + 1) % NUM_FOLDS if source.hold_out_test else None
    match split:
        case Split.VAL:
            chosen = [source.fold]
        case Split.TEST:
            chosen = [] if test is None else [test]
        case Split.TRAIN:
            chosen = [fold for fold in range(NUM_FOLDS) if fold not in (source.fold, test)]
    if not chosen:
        raise DataError(f"{source.root}: there is no test split when hold_out_test is false")
    return np.sort(np.concatenate([parts[fold] for fold in chosen]))


def _text(row: Row) -> str:
    if not row.cells[0]:
        raise DataError(f"{row.where}: the tweet is empty")
    return row.cells[0]


def _labels(row: Row) -> list[int]:
    cells = dict(zip(_COLUMNS[1:], row.cells[1:], strict=True))
    for name, cell in cells.items():
        if not cell.isdecimal():
            raise DataError(f"{row.where}: {name} is {cell!r}; expected a whole number")
    kind, *votes = (int(cell) for cell in cells.values())
    if kind >= len(TWEET_TASKS[0].classes) or not any(votes):
        raise DataError(f"{row.where}: class {kind} with votes {votes}; expected class 0, 1 or 2, and some votes")
    hate, _, neither = votes
    return [kind, int(hate > 0), int(neither > 0), int(max(votes) < sum(votes))]
