"""The ANT term of incremental learning: does it do anything, and is it what it should do."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, trained_curve
from trainables.health.finding import History, Severity

AT_FLOOR = 0.01
"""Of the floor, ln of the number of negatives: relu(v) = 0 still counts as exp(0) = 1."""


@check(
    meaning=(
        "The ANT loss is its count floor, the logarithm of the number of negatives: no negative violates the margin, "
        "and a value such as 4.78 that never changes is a count, not a loss."
    ),
    found_by=f"train/ant_loss within {AT_FLOOR:.0%} of train/ant_floor (train/ant_excess below that share of it).",
    cure="Raise ant.margin, take an aggregation without a floor (active_only, softplus), or leave ANT out.",
)
def ant_at_floor(history: History) -> Sign | None:
    """Read the newest epochs."""
    floor = trained_curve(history, "train/ant_floor")
    excess = trained_curve(history, "train/ant_excess")
    loss = trained_curve(history, "train/ant_loss")
    if not floor or floor.now <= 0 or not (excess or loss):
        return None
    above = excess.now if excess else loss.now - floor.now
    if above >= AT_FLOOR * floor.now:
        return None
    return Sign(Severity.WARNING, floor.step, {v.name: v.now for v in (loss, floor, excess) if v})


VIOLATIONS = (0.1, 0.9)
"""Share of the negatives that ANT keeps: below, it sees a handful; above, it selects nothing."""


@check(
    meaning="ANT keeps nearly none or nearly all of the negatives: it selects nothing.",
    found_by=f"train/violation_rate outside {VIOLATIONS[0]} to {VIOLATIONS[1]}, as a mean of the last {RECENT} epochs.",
    cure="A larger ant.margin keeps more negatives, a smaller one fewer: the threshold is the hardest less it.",
)
def violation_rate_out_of_range(history: History) -> Sign | None:
    """Read the newest epochs."""
    rate = trained_curve(history, "train/violation_rate")
    if not rate or VIOLATIONS[0] <= rate.now <= VIOLATIONS[1]:
        return None
    margin = trained_curve(history, "train/margin")
    return Sign(Severity.WARNING, rate.step, {v.name: v.now for v in (rate, margin) if v})


HARDEST_RISE = 0.05
"""Rise of the hardest negative's cosine that is no noise."""
VIOLATIONS_FALL = 0.05
"""Fall of the violation rate that looks like progress."""


@check(
    meaning=(
        "ANT is gamed: violations fall because the hardest negative, which the threshold hangs on, is pulled "
        "nearer, not because negatives are pushed away. Its gradient flows through the maximum."
    ),
    found_by=(
        f"train/violation_rate falls by {VIOLATIONS_FALL} or more while train/hardest_negative_cosine rises by "
        f"{HARDEST_RISE} or more, first epoch to the last {RECENT}."
    ),
    cure="Set ant.reference to detached.",
)
def ant_gamed(history: History) -> Sign | None:
    """Hold the two against each other."""
    rate = trained_curve(history, "train/violation_rate")
    hardest = trained_curve(history, "train/hardest_negative_cosine")
    if len(rate) < RECENT or len(hardest) < RECENT:
        return None
    if hardest.now - hardest.first < HARDEST_RISE or rate.first - rate.now < VIOLATIONS_FALL:
        return None
    evidence = {rate.name: rate.now, "first violation rate": rate.first}
    return Sign(
        Severity.ILL, rate.step, evidence | {hardest.name: hardest.now, "first hardest negative": hardest.first}
    )


IDLE = 1e-3
"""A gap loss below this has no gradient to speak of: relu(target - gap) is 0 once the gap is reached."""


@check(
    meaning="The gap term is 0: the gap is already above its target, so that the term changes nothing.",
    found_by=f"train/gap_loss below {IDLE} as a mean of the last {RECENT} epochs.",
    cure="Raise gap.target above the gap that the main loss reaches by itself, or leave the term out.",
)
def gap_idle(history: History) -> Sign | None:
    """Read the newest epochs."""
    loss = trained_curve(history, "train/gap_loss")
    if len(loss) < RECENT or loss.now >= IDLE:
        return None
    gap = trained_curve(history, "train/gap")
    return Sign(Severity.WARNING, loss.step, {v.name: v.now for v in (loss, gap) if v})
