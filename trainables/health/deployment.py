"""Which metric a model would be deployed for, and how much of a difference in it is noise."""

import math
import re

from trainables.health.curves import Curve, curve, trained_curve
from trainables.health.finding import History
from trainables.health.vocabulary import describe

DEPLOYED = (
    "val/recall_at_1",
    "val/class_recall_at_1",
    "val/rank_at_1",
    "val/retrieval_accuracy",
    "val/r2",
    "val/macro_f1",
    "val/stream_accuracy",
    "val/accuracy",
    "val/mean_average_precision",
    "val/map_at_r",
)
"""In this order: a trainable's own is the first that it measures."""

_OF_CLASSES_SEEN = ("val/last_accuracy", "val/average_accuracy")
"""Their task grows harder with each class that comes: that they fall says nothing."""
_NOT_DEPLOYED = re.compile(
    r"train/.*|val/\w*loss|val/\w*_position|val/(calinski_harabasz|davies_bouldin|auc|eer|bleu|rouge_\w+)"
    r"|val/\w*(cosine|distance|effective_rank|resultant_length|variance_fraction)\w*|val/mse\w*"
)
_QUERIES_UNKNOWN = 100.0
"""Taken for the number of queries where it is not reported; a standard error of .05 at most."""


def deployed(history: History) -> Curve | None:
    """The metric that the model is for; None when none is measured. The objective, where it is such a metric."""
    own = history.objective
    first = () if own is None or own in _OF_CLASSES_SEEN or misleads(own) else (own,)
    found = (curve(history, name) for name in (*first, *DEPLOYED))
    return next((values for values in found if values), None)


def chance(history: History, metric: str) -> float:
    """What a random model gets, where it is reported; 0 otherwise."""
    names = (reference.metric for reference in describe(metric).references if reference.role == "chance")
    return next((values.last for values in (curve(history, name) for name in names) if values), 0.0)


def misleads(metric: str) -> bool:
    """Whether a metric is one that a model is not deployed for, and that can go the other way."""
    return _NOT_DEPLOYED.fullmatch(metric) is not None


def standard_error(history: History, share: float) -> float:
    """Of a share of val's queries, by the binomial; never 0."""
    queries = trained_curve(history, "val/num_queries")
    number = max(queries.last, 1.0) if queries else _QUERIES_UNKNOWN
    share = min(max(share, 1 / (number + 2)), 1 - 1 / (number + 2))
    return math.sqrt(share * (1 - share) / number)
