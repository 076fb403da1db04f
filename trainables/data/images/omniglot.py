"""Omniglot's characters as classes, told apart by who drew them. `load` calls this.

Twenty people drew each character: some are for training, the others for val. Test is the same question again on
characters that no sweep has seen.
"""

from pathlib import Path

import numpy as np

from trainables.data.errors import DataError, Split
from trainables.data.images.images import RawImages
from trainables.data.images.sources import OmniglotCharacters
from trainables.data.pairs.omniglot import ALPHABETS, Picture, read_pictures


def read_characters(source: OmniglotCharacters, split: Split) -> tuple[RawImages, RawImages]:
    """Pictures to train on and pictures to judge by: of the chosen characters, or, for test, of others.

    Raises: DataError: a zip file is missing or damaged, or has too few characters.
    """
    pictures = [
        picture
        for alphabets in ALPHABETS.values()
        for half, alphabet in alphabets
        for picture in read_pictures(Path(source.root), half=half, alphabet=alphabet, size=source.size)
    ]
    names = list(dict.fromkeys(picture.character for picture in pictures))
    if len(names) < 2 * source.num_classes:
        raise DataError(
            f"{source.root}: {len(names)} characters; expected {2 * source.num_classes}, half of them for test"
        )
    shuffled = np.random.default_rng(source.seed).permutation(len(names))
    first = source.num_classes if split is Split.TEST else 0
    chosen = {names[i] for i in shuffled[first : first + source.num_classes]}
    ours = [picture for picture in pictures if picture.character in chosen]
    return (
        _raw([p for p in ours if p.drawer <= source.train_drawers], source),
        _raw([p for p in ours if p.drawer > source.train_drawers], source),
    )


def _raw(pictures: list[Picture], source: OmniglotCharacters) -> RawImages:
    if not pictures:
        raise DataError(f"{source.root}: no pictures on one side of drawer {source.train_drawers}; expected 20 drawers")
    return RawImages(
        pixels=np.stack([picture.grey for picture in pictures])[:, None],
        labels=[picture.character for picture in pictures],
        where=source.root,
    )
