"""Embeddings that lost what tells them apart: collapse to a point, or to few directions."""

import math

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, trained_curve
from trainables.health.finding import History, Severity

POINT_ILL = 0.99
"""Resultant length R: the mean cosine of two embeddings is about R squared, here .98."""
POINT_WARNING = 0.95
"""A mean cosine of about .90."""
WIDENED = 1.5
"""An untrained network may begin in a narrow cone. Where 1 - R is so many times what it was, it is on its way out."""


@check(
    meaning="All embeddings point nearly the same way, so that they cannot be told apart.",
    found_by=(
        f"val/resultant_length R, after {RECENT} epochs or more: ill at {POINT_ILL} or more, a warning at "
        f"{POINT_WARNING} or more unless 1 - R is {WIDENED} times what it was untrained or {RECENT - 1} epochs ago. "
        "Without R, the square root of val/mean_cosine."
    ),
    cure=(
        "Lower optimizer.lr, sharpen the loss (temperature.start between .05 and .2), give it negatives that "
        "differ (a larger batch), and check that the inputs differ at all."
    ),
)
def point_collapse(history: History) -> Sign | None:
    """Read R, or the mean cosine, which is R squared but for the diagonal."""
    lengths = curve(history, "val/resultant_length")
    cosines = curve(history, "val/mean_cosine")
    measured, power = (lengths, 1) if lengths else (cosines, 2)
    if len(measured.trained) < RECENT or measured.last < POINT_WARNING**power:
        return None
    untrained = measured.untrained
    collapsed = measured.last >= POINT_ILL**power
    starts = [measured.values[-RECENT], *([] if untrained is None else [untrained])]
    if not collapsed and any(1 - measured.last >= WIDENED * (1 - start) > 0 for start in starts):
        return None
    evidence = {measured.name: measured.last} | ({} if untrained is None else {"untrained": untrained})
    return Sign(Severity.ILL if collapsed else Severity.WARNING, measured.step, evidence)


DIMENSIONS_ILL = 2.0
"""An effective rank of 2 is a curve: neighbours along it are the only structure."""
DIMENSIONS_SHARE = 0.1
"""Share of the dimensions that there could be, the lesser of embedding size and items."""
DIMENSIONS_LOST = 0.5
"""Share of the untrained effective rank: what the architecture never had, training did not lose."""


FEW_CLASSES = 5
"""So few classes need no more directions, and a loss that pulls each to a point leaves them no more."""
TOP_SHARE = 0.4
"""Of the variance, along one axis; of noise and signal in a few directions the effective rank sees the noise."""
TOP_GROWTH = 2.5
"""Times its untrained value: what lay along one axis from the start was not lost in training."""


@check(
    meaning="The embeddings vary in few directions only; the other dimensions carry nothing.",
    found_by=(
        f"After {RECENT} epochs or more: val/effective_rank_centred (without it val/effective_rank) below "
        f"{DIMENSIONS_SHARE:.0%} of val/embedding_size and below {DIMENSIONS_LOST:.0%} of its untrained value, ill "
        f"below {DIMENSIONS_ILL:g}; or val/top_variance_fraction of {TOP_SHARE} or more and {TOP_GROWTH} times its "
        f"untrained value. Where val/num_classes_seen is reported, not with {FEW_CLASSES} classes or fewer, nor with a "
        "rank of half as many as these classes need, which is one less than they are."
    ),
    cure=(
        "Lower optimizer.lr or temperature.start, use more and more varied classes and more negatives in a batch, "
        "or a smaller embedding."
    ),
)
def dimensional_collapse(history: History) -> Sign | None:
    """Compare with the size and with the start: a few classes need a few dimensions only."""
    classes = trained_curve(history, "val/num_classes_seen")
    if not classes:
        return _low_rank(history, needed=math.inf) or _one_axis(history)
    if classes.last <= FEW_CLASSES:
        return None
    return _low_rank(history, needed=(classes.last - 1) / 2) or _one_axis(history)


def _low_rank(history: History, *, needed: float) -> Sign | None:
    ranks = curve(history, "val/effective_rank_centred") or curve(history, "val/effective_rank")
    sizes = trained_curve(history, "val/embedding_size")
    if len(ranks.trained) < RECENT:
        return None
    limits = [DIMENSIONS_SHARE * sizes.last] if sizes else []
    limits += [DIMENSIONS_LOST * ranks.untrained] if ranks.untrained is not None else []
    if not limits or ranks.last >= min(*limits, needed):
        return None
    evidence = {ranks.name: ranks.last} | ({} if ranks.untrained is None else {"untrained": ranks.untrained})
    evidence |= {sizes.name: sizes.last} if sizes else {}
    severity = Severity.ILL if ranks.last < DIMENSIONS_ILL else Severity.WARNING
    return Sign(severity, ranks.step, evidence)


def _one_axis(history: History) -> Sign | None:
    top = curve(history, "val/top_variance_fraction")
    if len(top.trained) < RECENT or top.untrained is None:
        return None
    if min(top.last, top.now) < max(TOP_SHARE, TOP_GROWTH * top.untrained):
        return None
    return Sign(Severity.WARNING, top.step, {top.name: top.last, "untrained": top.untrained})
