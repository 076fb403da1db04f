"""What kind of metric a name is, for rules about objectives. The names are the shared vocabulary of `trainables`.

A name that is none of these says nothing, and no rule speaks of it.
"""

import re

from trainables.health.vocabulary import describe

_LOSS = re.compile(r"((train|val)/)?(\w+_)?loss")
_ERROR = re.compile(r"((train|val)/)?(\w+_)?(mse|mae|rmse)(_\w+)?")
_TOTAL = re.compile(r"((train|val)/)?(total_)?loss")
_RETRIEVAL = re.compile(
    r"val/(([a-z]+_)?recall_at_\d+\w*|rank_at_\d+\w*|mean_average_precision\w*|map_at_r\w*"
    r"|nearest_neighbou?r_accuracy|(cosine_)?retrieval_accuracy\w*)"
)
_SHARE = re.compile(
    r"(train|val)/(\w*(recall|rank)_at_\d+\w*|\w*mean_average_precision\w*|\w*map_at_r\w*|\w*accuracy(_\w+)?"
    r"|\w*(recall|precision|f1)(_\w+)?|auc|eer|\w*_fraction(_\w+)?)"
)
_SCALE = re.compile(r"val/(chance|raw|majority|num|class_blind)_\w+|val/\w+_chance|val/(gallery|embedding)_size")


def is_loss(metric: str) -> bool:
    """Whether it is a training loss: comparable only at equal temperature, margin and batch size."""
    return _LOSS.fullmatch(metric) is not None


def is_error(metric: str) -> bool:
    """Whether it is a squared or absolute error: a loss that means the same in every trial."""
    return _ERROR.fullmatch(metric) is not None and not is_scale(metric)


def is_total(metric: str) -> bool:
    """Whether it is the weighted sum of several losses."""
    return _TOTAL.fullmatch(metric) is not None


def is_retrieval(metric: str) -> bool:
    """Whether it says what is found among the first: what an embedding is used for."""
    return _RETRIEVAL.fullmatch(metric) is not None and not is_scale(metric)


def is_share(metric: str) -> bool:
    """Whether it is a share of counted things, from 0 to 1."""
    return _SHARE.fullmatch(metric) is not None


def is_scale(metric: str) -> bool:
    """Whether it only gives others their scale, such as a chance level or a count: training does not move it."""
    return _SCALE.fullmatch(metric) is not None


def direction(metric: str) -> str:
    """`higher` or `lower`, whichever is better; `neutral` if the name does not tell."""
    return describe(metric).direction.value
