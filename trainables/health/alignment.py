"""Whether what belongs together is nearer than what does not."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, trained_curve
from trainables.health.finding import History, Severity

APART = 0.02
"""Cosines of matched pairs this far below the others, or below 0, are not the noise of a few hundred pairs."""


@check(
    meaning=(
        "What belongs together points apart: the matched cosine is negative, or below that of pairs that do not "
        "belong together. The objective pushes the wrong way, or something else moves the embeddings."
    ),
    found_by=(
        f"val/matched_cosine below -{APART} or below val/unmatched_cosine - {APART}, as means of the last "
        f"{RECENT} epochs, after {RECENT} or more."
    ),
    cure=(
        "Give the contrastive loss the largest weight (loss_weights.contrastive above captioning), lower "
        "temperature.start, and check that row i of one modality is row i of the other."
    ),
)
def negative_alignment(history: History) -> Sign | None:
    """Mean cosine of matched pairs (higher is better), not Wang and Isola's alignment, which is a distance."""
    matched = trained_curve(history, "val/matched_cosine")
    unmatched = trained_curve(history, "val/unmatched_cosine")
    if len(matched) < RECENT:
        return None
    limit = min(0.0, unmatched.now) if unmatched else 0.0
    worse_than_others = bool(unmatched) and matched.now < unmatched.now - APART
    if matched.now >= -APART and not worse_than_others:
        return None
    evidence = {matched.name: matched.now} | ({unmatched.name: unmatched.now} if unmatched else {})
    return Sign(Severity.ILL, matched.step, evidence | {"limit": limit})


MATCHED_HIGH = 0.5
"""A matched cosine that looks good by itself."""
SEPARATED = 0.3
"""(matched - unmatched) / (1 - unmatched): the share of the way from where the others are to a perfect match."""


@check(
    meaning=(
        "The matched cosine is high, but so is that of pairs that do not belong together: alignment alone ranks "
        "nothing."
    ),
    found_by=(
        f"val/matched_cosine of {MATCHED_HIGH} or more, and (matched - unmatched) / (1 - unmatched) "
        f"below {SEPARATED}, in the newest epoch and as means of the last {RECENT}."
    ),
    cure="Lower temperature.start to .05 to .2, use larger batches, and choose models by recall, not by alignment.",
)
def unmatched_cosine_high(history: History) -> Sign | None:
    """Compare the two cosines."""
    matched = trained_curve(history, "val/matched_cosine")
    unmatched = trained_curve(history, "val/unmatched_cosine")
    if len(matched) < RECENT or len(unmatched) < RECENT or matched.now < MATCHED_HIGH:
        return None
    if any(
        matched_cosine - unmatched_cosine >= SEPARATED * (1 - unmatched_cosine)
        for matched_cosine, unmatched_cosine in ((matched.now, unmatched.now), (matched.last, unmatched.last))
    ):
        return None
    return Sign(Severity.WARNING, matched.step, {matched.name: matched.now, unmatched.name: unmatched.now})
