"""The names of mining: what can be asked for, what can happen instead, and why; and a curriculum of them by epoch.

Task configs import this file, so it knows no torch; `choose` does the work.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from pydantic import Field

from trainables.schedules import StrictModel


class NegativeMining(StrEnum):
    """Which negative an anchor is trained against.

    `hard` is the nearest candidate and `full_hard` the nearest in the whole train set, with the farthest positive
    there. `farthest` is what source note 001 called hard: it teaches nothing, and is here to be recognised.
    """

    RANDOM = "random"
    SEMI_HARD = "semi_hard"
    HARD = "hard"
    FULL_HARD = "full_hard"
    FARTHEST = "farthest"


class PositiveMining(StrEnum):
    """Which positive an anchor is trained against; `hard` is the farthest candidate."""

    RANDOM = "random"
    HARD = "hard"


class Window(StrEnum):
    """Whose distance begins the semi-hard window: the chosen positive's, or the first one's, as in source note 001.

    With `first` a negative can be semi-hard for a positive that it is not trained with.
    """

    CHOSEN = "chosen"
    FIRST = "first"


class EffectiveMining(StrEnum):
    """What was done: one of the strategies, one of the two ways out of an empty semi-hard window, or nothing.

    `outside_window` is a negative that is semi-hard for another positive than the one it is trained with.
    """

    RANDOM = "random"
    SEMI_HARD = "semi_hard"
    HARD = "hard"
    FULL_HARD = "full_hard"
    FARTHEST = "farthest"
    NEAREST_BEYOND = "nearest_beyond"
    FARTHEST_BELOW = "farthest_below"
    OUTSIDE_WINDOW = "outside_window"
    NONE = "none"


class Reason(StrEnum):
    """Why the effective strategy is what it is."""

    AS_REQUESTED = "as_requested"
    NO_EMBEDDINGS = "no_embeddings"
    NOT_FINITE = "not_finite"
    NOT_GLOBAL = "not_global"
    EMPTY_WINDOW = "empty_window"
    OTHER_WINDOW = "other_window"
    ONLY_DUPLICATES = "only_duplicates"
    NO_POSITIVE = "no_positive"
    NO_NEGATIVE = "no_negative"


class Sampling(StrEnum):
    """How a batch gets its items of one class: distinct, or repeated where the class has fewer than asked for.

    Repeated items are positives at distance 0.
    """

    DISTINCT = "distinct"
    WITH_REPLACEMENT = "with_replacement"


class Stage(StrictModel):
    """Mining from an epoch on, until the next stage."""

    from_epoch: int = Field(default=0, ge=0)
    negative: NegativeMining
    positive: PositiveMining = PositiveMining.RANDOM


def check_curriculum(curriculum: Sequence[Stage]) -> None:
    """Config models call this.

    Raises: ValueError: no stage, none for epoch 0, or stages that are not in order.
    """
    starts = [stage.from_epoch for stage in curriculum]
    if not starts or starts[0] != 0:
        raise ValueError(f"a curriculum starts with a stage from epoch 0, not {starts[:1]}")
    if any(start >= following for start, following in pairwise(starts)):
        raise ValueError(f"the stages of a curriculum begin one after the other, not at epochs {starts}")


def strategy_at(curriculum: Sequence[Stage], epoch: float) -> Stage:
    """The stage in effect after `epoch` (fractional) epochs.

    Raises: ValueError: as `check_curriculum`.
    """
    check_curriculum(curriculum)
    return next(stage for stage in reversed(curriculum) if stage.from_epoch <= epoch)
