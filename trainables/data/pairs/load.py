"""From a source in the config to data in memory. Tasks call `load_pairs`; only a final confirmation `load_test_pairs`.

Trials of one process share what was loaded: nobody may write to it.
"""

from functools import lru_cache

from trainables.data.errors import Split
from trainables.data.pairs.angiogram import read_angiograms
from trainables.data.pairs.files import read_files
from trainables.data.pairs.omniglot import read_omniglot
from trainables.data.pairs.pairs import PairedData, Pairs, RawPairs, tokenize
from trainables.data.pairs.sources import AngiogramSource, FilesSource, OmniglotSource
from trainables.data.pairs.tokenizer import Tokenizer
from trainables.data.pairs.vessel_tree import SEGMENTS

Source = AngiogramSource | OmniglotSource | FilesSource


@lru_cache(maxsize=2)
def load_pairs(source: Source) -> PairedData:
    """Train and val, with a tokenizer fitted to train.

    Raises: DataError: files are missing or damaged.
    """
    train, val = _read(source, Split.TRAIN), _read(source, Split.VAL)
    tokenizer = Tokenizer.fit(train.texts)
    return PairedData(
        train=tokenize(train, tokenizer), val=tokenize(val, tokenizer), tokenizer=tokenizer, segments=_segments(source)
    )


def load_test_pairs(source: Source) -> Pairs:
    """The test split, with the tokenizer of train."""
    return tokenize(_read(source, Split.TEST), load_pairs(source).tokenizer)


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
