"""Which searched keys are loss weights, and which set the scale of a loss: by role, and by name where there is none."""

import re

from orchestrator.sweeps.lint.meaning import role_keys
from orchestrator.sweeps.lint.question import Question
from trainables.roles import (
    BatchSize,
    ClassesPerBatch,
    HardNegatives,
    ItemsPerClass,
    LossWeight,
    Margin,
    Scale,
    Temperature,
)

_WEIGHT = re.compile(r"(.*[._])?weights?(\..+|_(?!decay)\w*)?")
_SCALE = re.compile(
    r"(.*[._])?(temperature|tau|margin|batch_size|people_per_batch|logit_scale|hard_negative_ratio)(\.\w+)?"
)


_SCALES = (Temperature, Margin, Scale, BatchSize, ClassesPerBatch, ItemsPerClass, HardNegatives)


def searched_weights(question: Question) -> list[str]:
    """Loss weights that differ between trials."""
    return _searched(question, (LossWeight,), _WEIGHT)


def searched_scales(question: Question) -> list[str]:
    """What sets the floor and the chance level of a contrastive loss, and differs between trials."""
    return _searched(question, _SCALES, _SCALE)


def _searched(question: Question, roles: tuple[type, ...], name: re.Pattern[str]) -> list[str]:
    known = {key for role in roles for key in role_keys(question, role)}
    return [
        key
        for key in question.spec.space
        if question.is_searched(key) and (key in known or name.fullmatch(key) is not None)
    ]
