"""The ANT term of incremental learning: does it do anything, and is it what it should do."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, Curve, trained_curve
from trainables.health.finding import History, Severity

AT_FLOOR = 0.05
"""Of the margin, which is the most that violations can add to the floor, ln of the number of negatives."""
AT_FLOOR_ANY_MARGIN = 0.003
"""Of the floor, where the margin is not known."""


@check(
    meaning=(
        "The ANT loss is its count floor, the logarithm of the number of negatives: no negative violates the margin, "
        "and a value such as 4.78 that never changes is a count, not a loss."
    ),
    found_by=(
        f"train/ant_excess, or train/ant_loss - train/ant_floor, below {AT_FLOOR:.0%} of train/margin, or where that "
        f"is not reported below {AT_FLOOR_ANY_MARGIN:.1%} of a floor above 0, as means of the last {RECENT} epochs."
    ),
    cure="Raise margin.start, set ant.aggregation to active_only or expm1, which have no floor, or leave ANT out.",
)
def ant_at_floor(history: History) -> Sign | None:
    """Read the newest epochs."""
    floor = trained_curve(history, "train/ant_floor")
    excess = trained_curve(history, "train/ant_excess")
    loss = trained_curve(history, "train/ant_loss")
    if not floor or floor.now <= 0 or not (excess or loss):
        return None
    above = excess.now if excess else loss.now - floor.now
    margin = trained_curve(history, "train/margin")
    if above >= (AT_FLOOR * margin.now if margin else AT_FLOOR_ANY_MARGIN * floor.now):
        return None
    return Sign(Severity.WARNING, floor.step, {v.name: v.now for v in (loss, floor, excess, margin) if v})


VIOLATIONS = (0.1, 0.9)
"""Share of the negatives that ANT keeps: below, it sees a handful; above, it selects nothing."""


@check(
    meaning="ANT keeps nearly none or nearly all of the negatives: it selects nothing.",
    found_by=f"train/violation_rate outside {VIOLATIONS[0]} to {VIOLATIONS[1]}, as a mean of the last {RECENT} epochs.",
    cure="A larger margin.start keeps more negatives, a smaller one fewer: the threshold is the hardest less it.",
)
def violation_rate_out_of_range(history: History) -> Sign | None:
    """Read the newest epochs."""
    rate = trained_curve(history, "train/violation_rate")
    if not rate or VIOLATIONS[0] <= rate.now <= VIOLATIONS[1]:
        return None
    margin = trained_curve(history, "train/margin")
    return Sign(Severity.WARNING, rate.step, {v.name: v.now for v in (rate, margin) if v})


VIOLATIONS_FALL = 0.05
"""Fall of the violation rate that looks like progress."""
HARDEST_RISE = 0.05
"""Rise of the hardest negative's cosine, alone or against the positives, that is no noise."""
INVERTED = 0.1
"""By so much the hardest negative is nearer than the positives."""


@check(
    meaning=(
        "ANT is gamed: violations fall because the hardest negative, which the threshold hangs on, is pulled "
        "nearer, not because negatives are pushed away. Its gradient flows through the maximum."
    ),
    found_by=(
        f"Within the first task (train/step): train/violation_rate falls by {VIOLATIONS_FALL} or more from its first "
        f"value to the mean of the last {RECENT} epochs, while train/hardest_negative_cosine rises by {HARDEST_RISE} "
        f"or more, or the newest train/hardest_gap (positive less hardest negative) is below -{INVERTED} "
        f"and {HARDEST_RISE} below its first value."
    ),
    cure="Set ant.connected to false, so that the reference is detached, and give the main loss (nce) its weight.",
)
def ant_gamed(history: History) -> Sign | None:
    """Violations alone look like progress. Later tasks bring new confusions whatever ANT does."""
    rate, hardest, gap = (
        _in_first_task(history, f"train/{name}")
        for name in ("violation_rate", "hardest_negative_cosine", "hardest_gap")
    )
    if len(rate) < RECENT or rate.first - rate.now < VIOLATIONS_FALL:
        return None
    raised = len(hardest) >= RECENT and hardest.now - hardest.first >= HARDEST_RISE
    inverted = len(gap) >= RECENT and gap.last < -INVERTED and gap.first - gap.last >= HARDEST_RISE
    if not raised and not inverted:
        return None
    found = [values for values in (rate, hardest, gap) if values]
    evidence = {values.name: values.last for values in found} | {f"first {v.name}": v.first for v in found}
    return Sign(Severity.ILL, rate.step, evidence)


def _in_first_task(history: History, name: str) -> Curve:
    values, tasks = trained_curve(history, name), dict(trained_curve(history, "train/step").points)
    first = min(tasks.values(), default=0.0)
    return Curve(name, tuple(point for point in values.points if tasks.get(point[0], first) == first))


IDLE = 1e-3
"""A gap loss below this has no gradient to speak of: relu(target - gap) is 0 once the gap is reached."""


@check(
    meaning="The gap term is 0: the gap is already above its target, so that the term changes nothing.",
    found_by=f"train/gap_loss below {IDLE} as a mean of the last {RECENT} epochs.",
    cure="Raise gap_target above the gap that the main loss reaches by itself, or leave the term out.",
)
def gap_idle(history: History) -> Sign | None:
    """Read the newest epochs."""
    loss = trained_curve(history, "train/gap_loss")
    if len(loss) < RECENT or loss.now >= IDLE:
        return None
    gap = trained_curve(history, "train/gap")
    return Sign(Severity.WARNING, loss.step, {v.name: v.now for v in (loss, gap) if v})
