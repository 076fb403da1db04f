"""What every reader of data raises, and what the splits are for."""

from enum import StrEnum


class DataError(ValueError):
    """Files that are missing, damaged, or not as described; the message names the file and what is expected."""


class Split(StrEnum):
    """What items are for. Only a final confirmation reads `test`."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
