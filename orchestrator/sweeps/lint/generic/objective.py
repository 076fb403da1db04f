"""Rules about the objective: whether it means the same in every trial, and what a person wants to know."""

import re
from collections.abc import Iterator

from orchestrator.spec import Direction
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.generic.metric_kinds import direction, is_error, is_loss, is_retrieval, is_scale, is_total
from orchestrator.sweeps.lint.generic.searched import searched_scales, searched_weights
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity

_CONTRASTIVE = re.compile(r"contrast|nce|clip|supcon|siglip|triplet|ant_|similarity|softmax|proxy|margin")
_WANTED = {"higher": Direction.MAXIMIZE, "lower": Direction.MINIMIZE}


def _objectives(question: Question) -> Iterator[tuple[Path, str]]:
    """Every objective: the path of its section, and its metric."""
    yield ("objective",), question.spec.objective.metric
    for position, objective in enumerate(question.spec.further_objectives):
        yield ("further_objectives", position), objective.metric


def _retrieval_metric(question: Question) -> str | None:
    return next((name for name in question.metrics or () if is_retrieval(name)), None)


def _instead(question: Question) -> str:
    better = _retrieval_metric(question)
    return f"objective: {{metric: {better}, direction: maximize}}" if better else "a metric that no weight is part of"


def contains_searched_weight(question: Question) -> Iterator[Hit]:
    """A weighted total as objective, while its weights are searched."""
    weights = searched_weights(question)
    for at, metric in _objectives(question):
        if is_total(metric) and weights:
            sum_of = f"{metric} is a sum with the searched {', '.join(weights)}"
            what = f"{sum_of}: the smallest weights win, not the best model"
            yield Hit((*at, "metric"), what, _instead(question))


def not_comparable(question: Question) -> Iterator[Hit]:
    """A contrastive loss as objective, while what sets its scale is searched."""
    scales = searched_scales(question)
    for at, metric in _objectives(question):
        if is_loss(metric) and scales and (is_total(metric) or _CONTRASTIVE.search(metric)):
            what = (
                f"{metric} has another floor and another chance level in each trial: searched are {', '.join(scales)}"
            )
            yield Hit((*at, "metric"), what, _instead(question))


def loss_beside_retrieval(question: Question) -> Iterator[Hit]:
    """A loss or an error as objective, where the trainable measures what is found."""
    better = _retrieval_metric(question)
    for at, metric in _objectives(question):
        if better is not None and (is_loss(metric) or is_error(metric)):
            what = f"{metric} is not what the embedding is for; the trainable reports {better}"
            yield Hit((*at, "metric"), what, f"metric: {better}, direction: maximize")


def on_train(question: Question) -> Iterator[Hit]:
    """An objective that is measured on the training split."""
    for at, metric in _objectives(question):
        if metric.startswith("train/"):
            same = "val/" + metric.removeprefix("train/")
            edit = (
                f"metric: {same}" if question.metrics is not None and same in question.metrics else _instead(question)
            )
            yield Hit(
                (*at, "metric"), f"{metric} is measured on what was learned: the search selects for overfitting", edit
            )


def wrong_direction(question: Question) -> Iterator[Hit]:
    """A direction against what the metric's name says."""
    objectives = (question.spec.objective, *question.spec.further_objectives)
    for (at, metric), objective in zip(_objectives(question), objectives, strict=True):
        wanted = _WANTED.get(direction(metric))
        if wanted is not None and objective.direction is not wanted:
            what = f"{metric} is better when {direction(metric)}, and the file says {objective.direction.value}"
            yield Hit((*at, "direction"), what, f"direction: {wanted.value}")


def objective_is_a_scale(question: Question) -> Iterator[Hit]:
    """An objective that no training moves."""
    for at, metric in _objectives(question):
        if is_scale(metric):
            what = f"{metric} gives other metrics their scale: no training moves it"
            yield Hit((*at, "metric"), what, _instead(question))


RULES = (
    Rule(
        id="ORC131",
        name="objective-contains-searched-weight",
        severity=Severity.ERROR,
        title="The objective is a weighted total, and its weights are searched.",
        why="The total falls when a weight falls. The search finds the smallest weights, whatever the model learns, "
        "and "
        "this is certain, so that the sweep does not start.",
        fix="Choose a metric without weights, best of all a retrieval metric. A comparison of totals at equal weights "
        "needs fixed weights.",
        bad="objective: {metric: train/loss, direction: minimize}\nspace:\n"
        "  loss_weights.captioning: {type: float, low: 0.2, high: 0.5}",
        good="objective: {metric: val/recall_at_1, direction: maximize}\nspace:\n"
        "  loss_weights.captioning: {type: float, low: 0.2, high: 0.5}",
        source="By arithmetic: the sum is linear in each weight.",
        check=contains_searched_weight,
    ),
    Rule(
        id="ORC132",
        name="loss-not-comparable",
        severity=Severity.WARNING,
        title="The objective is a contrastive loss, and its temperature, margin or batch size is searched.",
        why="These set the loss's floor and its chance level: ln B for InfoNCE, between narrow walls at a high "
        "temperature. A lower value in another trial says nothing about the embedding.",
        fix="Choose a retrieval metric, or fix what sets the scale.",
        bad="objective: {metric: val/contrastive_loss, direction: minimize}\nspace:\n"
        "  temperature.start: {type: float, low: 0.05, high: 0.5, log: true}",
        good="objective: {metric: val/recall_at_1, direction: maximize}\nspace:\n"
        "  temperature.start: {type: float, low: 0.05, high: 0.5, log: true}",
        source="van den Oord et al. 2018, arXiv:1807.03748, eq. 4: the loss is bounded by ln B less what is shared. "
        "The "
        "floors are computed in trainables/losses.",
        check=not_comparable,
    ),
    Rule(
        id="ORC133",
        name="loss-beside-retrieval",
        severity=Severity.WARNING,
        title="The objective is a loss or an error, though the trainable reports a retrieval metric.",
        why="Losses stand in for what cannot be differentiated. Val losses rise from overconfidence while retrieval "
        "still "
        "improves, and squared errors fall while no class is told from another.",
        fix="Choose the retrieval metric. Keep the loss where the loss itself is the question, and give the reason "
        "under "
        "`lint: ignore`.",
        bad="objective: {metric: val/mse_clip, direction: minimize}",
        good="objective: {metric: val/retrieval_accuracy, direction: maximize}",
        source="Musgrave, Belongie and Lim 2020, A Metric Learning Reality Check, arXiv:2003.08505, section 2.2.",
        check=loss_beside_retrieval,
    ),
    Rule(
        id="ORC134",
        name="objective-on-train",
        severity=Severity.WARNING,
        title="The objective is measured on the training split.",
        why="The best trial is the one that fits its own data most closely: long, unregularised, large.",
        fix="The same metric on val.",
        bad="objective: {metric: train/macro_f1, direction: maximize}",
        good="objective: {metric: val/macro_f1, direction: maximize}",
        source="The meaning of the splits: train is learned from, val selects, test is read once.",
        check=on_train,
    ),
    Rule(
        id="ORC135",
        name="objective-direction",
        severity=Severity.WARNING,
        title="The direction is against what the metric's name says.",
        why="The sweep would look for the worst model, prune the best trials, and report a winner.",
        fix="Turn the direction round. Ignore the rule if the worst is what you look for.",
        bad="objective: {metric: val/recall_at_1, direction: minimize}",
        good="objective: {metric: val/recall_at_1, direction: maximize}",
        source="The vocabulary of metrics: trainables/health/vocabulary.py.",
        check=wrong_direction,
    ),
    Rule(
        id="ORC136",
        name="objective-is-a-scale",
        severity=Severity.ERROR,
        title="The objective is a chance level, a count or another reference, which no training moves.",
        why="All trials get the same value, or one that depends on the data alone. The sweep has no answer, and this "
        "is "
        "certain, so that it does not start.",
        fix="Choose the metric that the reference belongs to.",
        bad="objective: {metric: val/chance_recall_at_1, direction: maximize}",
        good="objective: {metric: val/recall_at_1, direction: maximize}",
        source="The names of the trainables' reference metrics.",
        check=objective_is_a_scale,
    ),
)
