"""What mining and sampling gave the loss, against what was asked for."""

from trainables.health.check import Sign, check
from trainables.health.curves import curves, trained_curve
from trainables.health.finding import History, Severity

REQUESTED_WARNING = 0.8
"""A few anchors may have nothing to choose from; a fifth of them is more than a few."""
HARMLESS = "empty_window"
REQUESTED_ILL = 0.2
"""So little that another strategy trained the model."""


@check(
    meaning="Negatives were mined in another way than the config asks for, silently, as with embeddings=None.",
    found_by=(
        f"train/mining_requested_fraction below {REQUESTED_WARNING}, ill below {REQUESTED_ILL}, not counting anchors "
        "whose semi-hard window is empty, as more and more are of a model that learns. The evidence has the reasons, "
        "train/mining_fallback_<reason>."
    ),
    cure=(
        "Give the miner what it needs: embeddings (mining_embeddings: batch or epoch, not none), batches with more "
        "classes (people_per_batch), a warm memory."
    ),
)
def mining_fallback(history: History) -> Sign | None:
    """Read the newest epoch: a curriculum changes what is asked for."""
    requested = trained_curve(history, "train/mining_requested_fraction")
    if not requested:
        return None
    fallbacks = curves(history, "train/mining_fallback_")
    harmless = fallbacks[HARMLESS].last if HARMLESS in fallbacks else 0.0
    followed = requested.last + harmless
    if followed >= REQUESTED_WARNING:
        return None
    reasons = {values.name: values.last for values in fallbacks.values() if values.last > 0}
    severity = Severity.ILL if followed < REQUESTED_ILL else Severity.WARNING
    return Sign(severity, requested.step, {requested.name: requested.last, **reasons})


FAR = 0.8
"""Mean rank of the chosen negative among the candidates: 0 nearest, .5 by lot, 1 farthest."""


@check(
    meaning=(
        "The negatives chosen are the farthest ones, which are no errors yet: the loss's own intra and inter distances "
        "improve while neighbours, which the ranking depends on, are never pushed apart."
    ),
    found_by=f"train/negative_percentile above {FAR}.",
    cure="Set negative_mining to hard (nearest), semi_hard or random; never farthest.",
)
def farthest_negatives(history: History) -> Sign | None:
    """Read the newest epoch."""
    chosen = trained_curve(history, "train/negative_percentile")
    if not chosen or chosen.last <= FAR:
        return None
    pairs = [trained_curve(history, f"train/{side}_distance") for side in ("intra", "inter")]
    return Sign(Severity.ILL, chosen.step, {values.name: values.last for values in (chosen, *pairs) if values})


MOVED = 0.2
"""Share of the parameters' norm: what is near for a model need not be near for one this far away."""


@check(
    meaning="Negatives are chosen by embeddings of a model that is many steps old: what they call near is not.",
    found_by=f"train/embedding_age_steps times train/update_ratio, the length of the way since, above {MOVED} "
    "after 2 epochs or more: the very first steps of Adam are its largest.",
    cure="Lower mining_refresh_epochs, or set mining_embeddings to batch.",
)
def stale_embeddings(history: History) -> Sign | None:
    """Read the newest epoch."""
    age, ratio = trained_curve(history, "train/embedding_age_steps"), trained_curve(history, "train/update_ratio")
    if not age or len(ratio) < 2 or age.last * ratio.last <= MOVED:
        return None
    return Sign(Severity.WARNING, age.step, {age.name: age.last, ratio.name: ratio.last})


ALONE_WARNING = 0.1
"""Share of anchors without a positive: they only push."""
ALONE_ILL = 0.5
"""Most of the batch."""


@check(
    meaning="Many anchors have no other item of their class in the batch, so that nothing pulls classes together.",
    found_by=(
        f"train/anchors_without_positive_fraction above {ALONE_WARNING}, ill above {ALONE_ILL}; without it "
        "train/positives_per_anchor below 1 less these."
    ),
    cure="Sample P classes with K >= 2 different items each (records_per_person, items_per_class).",
)
def too_few_positives(history: History) -> Sign | None:
    """Read the newest epoch."""
    alone = trained_curve(history, "train/anchors_without_positive_fraction")
    each = trained_curve(history, "train/positives_per_anchor")
    if not alone and not each:
        return None
    share = alone.last if alone else 1 - each.last
    if share <= ALONE_WARNING:
        return None
    severity = Severity.ILL if share > ALONE_ILL else Severity.WARNING
    return Sign(severity, (alone or each).step, {values.name: values.last for values in (alone, each) if values})


DISTINCT = 0.95
"""Distinct items over the slots of a batch. A sampler that repeats no item has 1."""


@check(
    meaning=(
        "A batch holds the same item more than once: an item is its own positive at distance 0, which the model has "
        "met before it learns anything, and the batch is smaller than it looks."
    ),
    found_by=f"train/distinct_items_fraction below {DISTINCT}.",
    cure="Set sampling to distinct: at most as many items of a class as it has.",
)
def duplicate_positives(history: History) -> Sign | None:
    """Read the newest epochs; a batch is a sample."""
    distinct = trained_curve(history, "train/distinct_items_fraction")
    if not distinct or distinct.now >= DISTINCT:
        return None
    return Sign(Severity.WARNING, distinct.step, {distinct.name: distinct.now})
