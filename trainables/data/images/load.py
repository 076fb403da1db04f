"""From a source in the config to pictures in memory: what a trial learns from and what it is measured on.

Tasks call `load_images` with the trial's purpose; only `Purpose.TEST` reads the test split. Trials of one process
share what was loaded: nobody may write to it.
"""

from dataclasses import replace
from functools import lru_cache

from trainables.contract import Purpose
from trainables.data.errors import Split
from trainables.data.images.digits import read_digits
from trainables.data.images.files import read_image_files, split_for_val
from trainables.data.images.images import ImageData, merge, to_images
from trainables.data.images.omniglot import read_characters
from trainables.data.images.sources import DigitsSource, ImageFiles, OmniglotCharacters

Source = DigitsSource | OmniglotCharacters | ImageFiles


@lru_cache(maxsize=2)
def load_images(source: Source, purpose: Purpose = Purpose.SEARCH) -> ImageData:
    """Train and val. For TEST test stands in the place of val, for RETRAIN train has val's pictures too.

    Raises: DataError: files are missing or damaged, or a class is in one split only.
    """
    match purpose:
        case Purpose.SEARCH:
            return _read(source, Split.VAL)
        case Purpose.TEST:
            return _read(source, Split.TEST)
        case Purpose.RETRAIN:
            data = _read(source, Split.VAL)
            return replace(data, train=merge(data.train, data.val))


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
