"""Classes of unequal size."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, curves, trained_curve
from trainables.health.finding import History, Severity

IGNORED = 0.1
"""Recall of the rare class below which it may as well not be there."""


@check(
    meaning=(
        "The rarest class is hardly ever found: accuracy is high because it is rare, and the model says the majority."
    ),
    found_by=f"val/rare_recall_<task> below {IGNORED}, in the newest epoch and as a mean of the last {RECENT}.",
    cure=(
        "Weigh classes (focal.alpha, focal.balance), sample the rare class more often, lower focal.gamma where "
        "labels are noisy, and choose models by macro-F1 or the rare class's recall."
    ),
)
def rare_class_ignored(history: History) -> Sign | None:
    """Read each task, and the figures without a task name."""
    tasks = {"": trained_curve(history, "val/rare_recall"), **curves(history, "val/rare_recall")}
    ignored = {
        task: recall
        for task, recall in tasks.items()
        if len(recall) >= RECENT and max(recall.now, recall.last) < IGNORED
    }
    if not ignored:
        return None
    evidence = {recall.name: recall.now for recall in ignored.values()}
    for task in ignored:
        prevalence = curve(history, f"val/rare_prevalence{task}")
        evidence |= {prevalence.name: prevalence.last} if prevalence else {}
    return Sign(Severity.WARNING, max(recall.step for recall in ignored.values()), evidence)
