"""From a source in the config to data in memory: what a trial learns from and what it is measured on.

Tasks call `load_pairs` with the trial's purpose; only `Purpose.TEST` reads the test split. Trials of one process share
what was loaded: nobody may write to it.
"""

from dataclasses import replace
from functools import lru_cache

from trainables.contract import Purpose
from trainables.data.errors import Split
from trainables.data.pairs.angiogram import read_angiograms
from trainables.data.pairs.files import read_files
from trainables.data.pairs.omniglot import read_omniglot
from trainables.data.pairs.pairs import PairedData, Pairs, RawPairs, merge, tokenize
from trainables.data.pairs.sources import AngiogramSource, FilesSource, OmniglotSource
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.data.pairs.vessel_tree import SEGMENTS

Source = AngiogramSource | OmniglotSource | FilesSource


@lru_cache(maxsize=2)
def load_pairs(source: Source, purpose: Purpose = Purpose.SEARCH) -> PairedData:
    """Train and val, with a tokenizer fitted to train. For TEST test stands in the place of val, for RETRAIN train
    has val's items too.

    Raises: DataError: files are missing or damaged.
    """
    if purpose is Purpose.TEST:
        return replace(load_pairs(source, Purpose.SEARCH), val=load_test_pairs(source))
    train, val = _read(source, Split.TRAIN), _read(source, Split.VAL)
    train = merge(train, val) if purpose is Purpose.RETRAIN else train
    tokenizer = Tokenizer.fit(train.texts)
    parts = [tokenize(part, tokenizer) for part in (train, val)]
    return PairedData(
        train=parts[0],
        val=parts[1],
        tokenizer=tokenizer,
        longest=max(part.tokens_NL.shape[1] for part in parts),
        segments=_segments(source),
    )


def load_test_pairs(source: Source) -> Pairs:
    """The test split, with the tokenizer of train; texts are cut where the longest one of train and val ends."""
    data = load_pairs(source, Purpose.SEARCH)
    test = tokenize(_read(source, Split.TEST), data.tokenizer)
    return replace(test, tokens_NL=test.tokens_NL[:, : data.longest])


def _read(source: Source, split: Split) -> RawPairs:
    match source:
        case AngiogramSource():
            return read_angiograms(source, split)
        case OmniglotSource():
            return read_omniglot(source, split)
        case FilesSource():
            return read_files(source, split)


def _segments(source: Source) -> tuple[str, ...]:
    match source:
        case AngiogramSource():
            return SEGMENTS
        case OmniglotSource():
            return ()
        case FilesSource():
            return source.segments
