"""The ranking that a model is for: worse than untrained, falling, wrongly counted, or not what is selected by."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, trained_curve
from trainables.health.deployment import chance, deployed, misleads, standard_error
from trainables.health.finding import History, Severity

LUCK = 2.0
"""Standard errors: the best of several epochs of a model that learns nothing is above step 0 by luck."""
ABOVE_CHANCE = 0.1
"""What is not this much above chance cannot fall: a model that begins to learn wanders there for a while."""


@check(
    meaning="Training made the model worse than it was before the first step.",
    found_by=(
        "The deployment metric (Rank@1, Recall@1, macro-F1, ...) one standard error or more below its value at step 0, "
        f"as a mean of the last {RECENT} epochs, and never {LUCK:g} above it; where step 0 is "
        f"{ABOVE_CHANCE} above chance."
    ),
    cure=(
        "Choose nearest or random negatives instead of the farthest, lower optimizer.lr and the margin, use all "
        "positives (supcon), and stop by this metric."
    ),
)
def worse_than_untrained(history: History) -> Sign | None:
    """Compare with step 0 of the same metric by the same code."""
    values = deployed(history)
    if values is None or values.untrained is None or len(values.trained) < RECENT:
        return None
    untrained, best = values.untrained, max(values.trained.values)
    error = standard_error(history, untrained)
    if untrained < chance(history, values.name) + ABOVE_CHANCE:
        return None
    if best > untrained + LUCK * error or values.now >= untrained - error:
        return None
    evidence = {values.name: values.now, "untrained": untrained, "best": best}
    return Sign(Severity.ILL, values.step, evidence)


FALL_ERRORS = 2.0
"""Standard errors between the peak and now."""
FALL_SHARE = 0.05
"""Of the peak, so that a large val set does not make a trifle significant."""
LOSS_FALL = 0.05
"""Of its first value: a loss that is said to fall."""


@check(
    meaning=(
        "The training loss falls while the ranking falls too: what the loss asks for is not what the ranking needs. "
        "Intra and inter distances under train/ are those of the pairs that the loss chose and do not show it."
    ),
    found_by=(
        f"train/loss at least {LOSS_FALL:.0%} below its first value, while the deployment metric is {FALL_ERRORS:g} "
        f"standard errors and {FALL_SHARE:.0%} below its peak (step 0 counts), in the newest epoch and as "
        f"a mean of the last {RECENT}; where the peak is {ABOVE_CHANCE} above chance."
    ),
    cure=(
        "Stop and select by the ranking on val, mine the nearest negatives or none, use all positives (supcon), "
        "and lower the margin."
    ),
)
def ranking_falls(history: History) -> Sign | None:
    """Hold the loss against the ranking."""
    loss, values = trained_curve(history, "train/loss"), deployed(history)
    if values is None or len(loss) < RECENT or len(values) <= RECENT:
        return None
    peak = max(values.values)
    fall = peak - max(values.now, values.last)
    if peak < chance(history, values.name) + ABOVE_CHANCE:
        return None
    if loss.now > loss.first - LOSS_FALL * abs(loss.first):
        return None
    if fall <= FALL_ERRORS * standard_error(history, peak) or fall <= FALL_SHARE * abs(peak):
        return None
    pairs = [trained_curve(history, f"train/{side}_distance") for side in ("intra", "inter")]
    evidence = {values.name: values.now, "peak": peak, "train/loss": loss.now, "first train/loss": loss.first}
    return Sign(Severity.WARNING, values.step, evidence | {pair.name: pair.last for pair in pairs if pair})


@check(
    meaning=(
        "Queries that have nothing to find in the gallery are counted as failures: the ranking looks far worse than "
        "it is, and no training can raise it."
    ),
    found_by="val/num_unanswerable_queries above 0: queries counted though nothing of their class is in the gallery.",
    cure="Count valid queries only (evaluation.queries: valid); report the others as excluded.",
)
def invalid_queries_counted(history: History) -> Sign | None:
    """Read the count that the protocol reports."""
    counted = trained_curve(history, "val/num_unanswerable_queries") or curve(history, "val/num_unanswerable_queries")
    if not counted or counted.last <= 0:
        return None
    queries = curve(history, "val/num_queries")
    return Sign(Severity.WARNING, counted.step, {values.name: values.last for values in (counted, queries) if values})


@check(
    meaning="Trials are chosen by a number that can improve while the model gets worse at what it is for.",
    found_by=(
        "The objective is a loss, a cosine or distance, CH, DB, AUC, BLEU or a training metric, though the trial "
        "measures a deployment metric (recall, rank, macro-F1, accuracy)."
    ),
    cure="Set objective.metric in the sweep file to the deployment metric named in the evidence.",
)
def wrong_selection_metric(history: History) -> Sign | None:
    """Losses never rank configurations when batch size, temperature or weights vary."""
    values = deployed(history)
    if history.objective is None or values is None or not misleads(history.objective):
        return None
    chosen_by = curve(history, history.objective)
    evidence = {metric.name: metric.last for metric in (chosen_by, values) if metric}
    return Sign(Severity.WARNING, values.step, evidence, detail=f"Trials are chosen by {history.objective}.")
