"""From a source in the config to pictures in memory. Tasks call `load_images`; only a final confirmation the other.

Trials of one process share what was loaded: nobody may write to it.
"""

from functools import lru_cache

from trainables.data.errors import Split
from trainables.data.images.digits import read_digits
from trainables.data.images.files import read_image_files, split_for_val
from trainables.data.images.images import ImageData, to_images
from trainables.data.images.omniglot import read_characters
from trainables.data.images.sources import DigitsSource, ImageFiles, OmniglotCharacters

Source = DigitsSource | OmniglotCharacters | ImageFiles


@lru_cache(maxsize=2)
def load_images(source: Source) -> ImageData:
    """Train and val.

    Raises: DataError: files are missing or damaged, or a class is in one split only.
    """
    return _read(source, Split.VAL)


def load_test_images(source: Source) -> ImageData:
    """What a final confirmation trains on and, in the place of val, the pictures that it is judged by.

    Raises: DataError: as for `load_images`.
    """
    return _read(source, Split.TEST)


def _read(source: Source, judge: Split) -> ImageData:
    match source:
        case DigitsSource():
            splits = read_digits(source)
            return to_images(splits[Split.TRAIN], splits[judge])
        case OmniglotCharacters():
            return to_images(*read_characters(source, judge))
        case ImageFiles():
            train, val = split_for_val(
                read_image_files(source, "train"), fraction=source.val_fraction, seed=source.seed
            )
            return to_images(train, read_image_files(source, "test") if judge is Split.TEST else val)
