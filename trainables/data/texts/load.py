"""From a source in the config to texts in memory: what a trial learns from and what it is measured on.

Tasks call `load_texts` with the trial's purpose; only `Purpose.TEST` reads the test split. Trials of one process share
what was loaded: nobody may write to it.
"""

from dataclasses import replace
from functools import lru_cache

from trainables.contract import Purpose
from trainables.data.errors import Split
from trainables.data.texts.files import files_tasks, read_files
from trainables.data.texts.generated import GENERATED_TASKS, read_generated
from trainables.data.texts.sources import FilesSource, GeneratedSource, TweetsSource
from trainables.data.texts.texts import LabelTask, RawTexts, TextData, Texts, merge, tokenize
from trainables.data.texts.tweets import TWEET_TASKS, read_tweets

Source = TweetsSource | GeneratedSource | FilesSource


@lru_cache(maxsize=2)
def load_texts(source: Source, purpose: Purpose = Purpose.SEARCH) -> TextData:
    """Train and val. For TEST test stands in the place of val, for RETRAIN train has val's texts too.

    Raises: DataError: files are missing, damaged, or not as described.
    """
    if purpose is Purpose.TEST:
        return replace(load_texts(source, Purpose.SEARCH), val=load_test_texts(source))
    train, val = _read(source, Split.TRAIN), _read(source, Split.VAL)
    train = merge(train, val) if purpose is Purpose.RETRAIN else train
    return TextData(train=tokenize(train), val=tokenize(val), tasks=_tasks(source))


def load_test_texts(source: Source) -> Texts:
    """The test split."""
    return tokenize(_read(source, Split.TEST))


def _read(source: Source, split: Split) -> RawTexts:
    match source:
        case TweetsSource():
            return read_tweets(source, split)
        case GeneratedSource():
            return read_generated(source, split)
        case FilesSource():
            return read_files(source, split)


def _tasks(source: Source) -> tuple[LabelTask, ...]:
    match source:
        case TweetsSource():
            return TWEET_TASKS
        case GeneratedSource():
            return GENERATED_TASKS
        case FilesSource():
            return files_tasks(source)
