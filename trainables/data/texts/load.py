"""From a source in the config to texts in memory. Tasks call `load_texts`; only a final confirmation `load_test_texts`.

Trials of one process share what was loaded: nobody may write to it.
"""

from functools import lru_cache

from trainables.data.errors import Split
from trainables.data.texts.files import files_tasks, read_files
from trainables.data.texts.generated import GENERATED_TASKS, read_generated
from trainables.data.texts.sources import FilesSource, GeneratedSource, TweetsSource
from trainables.data.texts.texts import LabelTask, RawTexts, TextData, Texts, tokenize
from trainables.data.texts.tweets import TWEET_TASKS, read_tweets

Source = TweetsSource | GeneratedSource | FilesSource


@lru_cache(maxsize=2)
def load_texts(source: Source) -> TextData:
    """Train and val.

    Raises: DataError: files are missing, damaged, or not as described.
    """
    train, val = (tokenize(_read(source, split)) for split in (Split.TRAIN, Split.VAL))
    return TextData(train=train, val=val, tasks=_tasks(source))


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
