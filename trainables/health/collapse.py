"""Embeddings that lost what tells them apart: collapse to a point, or to few directions."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, trained_curve
from trainables.health.finding import History, Severity

POINT_ILL = 0.99
"""Resultant length R: the mean cosine of two embeddings is about R squared, here .98."""
POINT_WARNING = 0.95
"""A mean cosine of about .90."""
WIDENED = 1.5
"""An untrained network may begin in a narrow cone. One that has widened 1 - R this much is on its way out of it, both
against the untrained network and against the epochs before."""


@check(
    meaning="All embeddings point nearly the same way, so that they cannot be told apart.",
    found_by=(
        f"val/resultant_length R of {POINT_WARNING} or more (ill from {POINT_ILL}) after {RECENT} epochs or more, "
        f"unless 1 - R is {WIDENED} times what it was untrained, or {RECENT - 1} epochs ago. Without R, the square "
        "root of val/mean_cosine."
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
    starts = [measured.values[-RECENT], *([] if untrained is None else [untrained])]
    if any(1 - measured.last >= WIDENED * (1 - start) > 0 for start in starts):
        return None
    evidence = {measured.name: measured.last} | ({} if untrained is None else {"untrained": untrained})
    severity = Severity.ILL if measured.last >= POINT_ILL**power else Severity.WARNING
    return Sign(severity, measured.step, evidence)


DIMENSIONS_ILL = 2.0
"""An effective rank of 2 is a curve: neighbours along it are the only structure."""
DIMENSIONS_SHARE = 0.1
"""Share of the dimensions that there could be, the lesser of embedding size and items."""
DIMENSIONS_LOST = 0.5
"""Share of the untrained effective rank: what the architecture never had, training did not lose."""


@check(
    meaning="The embeddings vary in few directions only; the other dimensions carry nothing.",
    found_by=(
        "val/effective_rank_centred (without it val/effective_rank) of the trained model below "
        f"{DIMENSIONS_SHARE:.0%} of val/embedding_size and below {DIMENSIONS_LOST:.0%} of its untrained value; "
        f"ill below {DIMENSIONS_ILL:g}."
    ),
    cure=(
        "Lower optimizer.lr or temperature.start, use more classes and more negatives in a batch, "
        "or a smaller embedding."
    ),
)
def dimensional_collapse(history: History) -> Sign | None:
    """Compare with the size and with the start: a few classes need a few dimensions only."""
    ranks = curve(history, "val/effective_rank_centred") or curve(history, "val/effective_rank")
    sizes = trained_curve(history, "val/embedding_size")
    if len(ranks.trained) < RECENT:
        return None
    limits = [DIMENSIONS_SHARE * sizes.last] if sizes else []
    limits += [DIMENSIONS_LOST * ranks.untrained] if ranks.untrained is not None else []
    if not limits or ranks.last >= min(limits):
        return None
    evidence = {ranks.name: ranks.last} | ({} if ranks.untrained is None else {"untrained": ranks.untrained})
    evidence |= {sizes.name: sizes.last} if sizes else {}
    severity = Severity.ILL if ranks.last < DIMENSIONS_ILL else Severity.WARNING
    return Sign(severity, ranks.step, evidence)
