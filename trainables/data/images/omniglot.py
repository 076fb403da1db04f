"""Omniglot's characters as classes, told apart by who drew them. `load` calls this.

Twenty people drew each character: the first ones are for training, the last ones for test if some are kept for it,
and those between for val.
"""

from pathlib import Path

import numpy as np

from trainables.data.errors import DataError, Split
from trainables.data.images.images import RawImages
from trainables.data.images.sources import OmniglotCharacters
from trainables.data.pairs.omniglot import ALPHABETS, Picture, read_pictures


def read_characters(source: OmniglotCharacters, split: Split) -> tuple[RawImages, RawImages]:
    """Pictures of the chosen characters to train on, and those of `split` to judge by.

    Raises: DataError: a zip file is missing or damaged, has too few characters, or nobody's pictures are for `split`.
    """
    if split is Split.TEST and not source.test_drawers:
        raise DataError(
            "data.test_drawers is 0: every picture is in train or val, so there is nothing to test on; set it to some "
            "of the people who are not for training, and search anew"
        )
    pictures = [
        picture
        for alphabets in ALPHABETS.values()
        for half, alphabet in alphabets
        for picture in read_pictures(Path(source.root), half=half, alphabet=alphabet, size=source.size)
    ]
    names = list(dict.fromkeys(picture.character for picture in pictures))
    if len(names) < source.num_classes:
        raise DataError(f"{source.root}: {len(names)} characters; expected {source.num_classes} (data.num_classes)")
    shuffled = np.random.default_rng(source.seed).permutation(len(names))
    chosen = {names[i] for i in shuffled[: source.num_classes]}
    ours = [picture for picture in pictures if picture.character in chosen]
    train = [picture for picture in ours if picture.drawer <= source.train_drawers]
    others = [picture for picture in ours if picture.drawer > source.train_drawers]
    last_val = max(picture.drawer for picture in ours) - source.test_drawers
    judged = [picture for picture in others if (picture.drawer > last_val) == (split is Split.TEST)]
    return _raw(train, source), _raw(judged, source)


def _raw(pictures: list[Picture], source: OmniglotCharacters) -> RawImages:
    if not pictures:
        raise DataError(f"{source.root}: no pictures on one side of drawer {source.train_drawers}; expected 20 drawers")
    return RawImages(
        pixels=np.stack([picture.grey for picture in pictures])[:, None],
        labels=[picture.character for picture in pictures],
        where=source.root,
    )
