"""Scikit-learn's handwritten digits, split by class. `load` calls this."""

from collections.abc import Mapping

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from trainables.data.errors import Split
from trainables.data.images.images import RawImages
from trainables.data.images.sources import DigitsSource

_BRIGHTEST = 16.0


def read_digits(source: DigitsSource) -> Mapping[Split, RawImages]:
    """All three splits."""
    digits = load_digits()
    pixels = (digits.images / _BRIGHTEST).astype(np.float32)[:, None]
    whole = RawImages(pixels=pixels, labels=[str(label) for label in digits.target], where="scikit-learn's digits")
    order = np.arange(len(pixels))
    train, rest = train_test_split(order, test_size=0.4, stratify=digits.target, random_state=source.seed)
    val, test = train_test_split(rest, test_size=0.5, stratify=digits.target[rest], random_state=source.seed)
    return {
        split: whole.subset(sorted(chosen))
        for split, chosen in ((Split.TRAIN, train), (Split.VAL, val), (Split.TEST, test))
    }
