"""Which searched keys are loss weights, and which set the scale of a loss, by their names."""

import re

from orchestrator.sweeps.lint.question import Question

_WEIGHT = re.compile(r"(.*[._])?weights?(\..+|_(?!decay)\w*)?")
_SCALE = re.compile(
    r"(.*[._])?(temperature|tau|margin|batch_size|people_per_batch|logit_scale|hard_negative_ratio)(\.\w+)?"
)


def searched_weights(question: Question) -> list[str]:
    """Loss weights that differ between trials."""
    return _searched(question, _WEIGHT)


def searched_scales(question: Question) -> list[str]:
    """Temperatures, margins, batch sizes and shares of negatives that differ between trials."""
    return _searched(question, _SCALE)


def _searched(question: Question, name: re.Pattern[str]) -> list[str]:
    return [key for key in question.spec.space if name.fullmatch(key) and question.is_searched(key)]
