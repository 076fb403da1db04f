"""Who is in which split. People are split, never records: a model is judged on people that it has not seen."""

from collections.abc import Sequence

import numpy as np

from trainables.data.errors import DataError, Split
from trainables.data.recordings.sources import PeopleSplit


def split_people(people: Sequence[str], split: PeopleSplit, *, where: str) -> dict[Split, frozenset[str]]:
    """Shuffle the people; val is block `fold` of them, test the people after it (from the front again), train the rest.

    Args: where: the folder, for messages.
    Raises: DataError: there are not enough people.
    """
    names = sorted(set(people))
    order = np.random.default_rng(split.split_seed).permutation(len(names))
    begin = split.fold * split.num_val_people
    held_out = split.num_val_people + split.num_test_people
    if begin + split.num_val_people > len(names) or held_out > len(names) - 2:
        raise DataError(
            f"{where}: {len(names)} people; block {split.fold} of {split.num_val_people} for val, "
            f"{split.num_test_people} for test and 2 or more for training need more"
        )
    turned = [names[place] for place in np.roll(order, -begin)]
    return {
        Split.VAL: frozenset(turned[: split.num_val_people]),
        Split.TEST: frozenset(turned[split.num_val_people : held_out]),
        Split.TRAIN: frozenset(turned[held_out:]),
    }
