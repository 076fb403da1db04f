"""The optimisation itself: numbers that are not finite, steps that are too large or too small, and overfitting."""

import math
from statistics import median

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curves, trained_curve
from trainables.health.deployment import deployed, standard_error
from trainables.health.finding import History, Severity


@check(
    meaning="Something measured is not a number: the model, or what it was given, is broken.",
    found_by="Any metric is NaN or infinite: ill in the newest measurement, a warning in an earlier one.",
    cure=(
        "Lower optimizer.lr and optimizer.max_grad_norm, warm up, and look for a logarithm or a square root of 0, a "
        "mean over nothing, or NaN in the inputs."
    ),
)
def non_finite(history: History) -> Sign | None:
    """The newest such measurement; a trial that was lost for an epoch only has skipped what was bad."""
    for measurement in reversed(history.measurements):
        if math.isfinite(sum(measurement.metrics.values())):
            continue
        lost = {name: value for name, value in measurement.metrics.items() if not math.isfinite(value)}
        if lost:
            severity = Severity.ILL if measurement is history.measurements[-1] else Severity.WARNING
            return Sign(severity, measurement.step, lost)
    return None


EXPLODED = 1000.0
"""A gradient norm beyond any that a normalised network gives at a sensible loss."""
BURST = 30.0
"""Times the median of the epochs before."""


@check(
    meaning="Gradients explode: a step goes where the loss does not point, or all of it is clipping.",
    found_by=(
        f"train/grad_norm_max (without it train/grad_norm) above {EXPLODED:g} in any epoch, or in the newest {BURST:g} "
        f"times the median of the epochs before, of which there must be {RECENT}."
    ),
    cure="Lower optimizer.lr, warm up, lower optimizer.max_grad_norm, and raise a very low temperature.",
)
def exploding_gradients(history: History) -> Sign | None:
    """Norms before clipping."""
    norm = trained_curve(history, "train/grad_norm_max") or trained_curve(history, "train/grad_norm")
    if not norm:
        return None
    step, largest = max(norm.points, key=lambda point: point[1])
    if largest > EXPLODED:
        return Sign(Severity.ILL, step, {norm.name: largest})
    before = norm.values[:-1]
    usual = median(before) if len(before) >= RECENT else math.inf
    if norm.last <= max(BURST * usual, 1.0):
        return None
    return Sign(Severity.WARNING, norm.step, {norm.name: norm.last, "median before": usual})


RISEN = 0.1
"""Rise of a val loss from its lowest, as a share of it."""
FURTHER = 0.1
"""Fall of the train loss over the same epochs, as a share of it."""
FALL_ERRORS = 2.0
"""Standard errors that the deployment metric fell from its peak."""
BEYOND_CHANCE = 1.2
"""Position of a val loss well above 1, where knowing nothing would be better."""


@check(
    meaning="The model fits the training set at the cost of the rest: val gets worse while train gets better.",
    found_by=(
        f"A val/<x>_loss above its lowest by {RISEN:.0%} or more, in the newest epoch and as a mean of the last "
        f"{RECENT}, while train/<x>_loss fell by {FURTHER:.0%} or more since. A warning if the deployment metric fell "
        f"by {FALL_ERRORS:g} standard errors from its peak, or val/<x>_position is above {BEYOND_CHANCE}; otherwise a "
        "note: a val loss may rise from overconfidence alone."
    ),
    cure="Stop earlier, add data or augmentation, raise optimizer.weight_decay, or make the model smaller.",
)
def overfitting(history: History) -> Sign | None:
    """Read every loss that both sides have."""
    for name, val in curves(history, "val/", "_loss").items():
        train = trained_curve(history, f"train/{name}_loss")
        if len(val) <= RECENT or len(train) != len(val):
            continue
        lowest = val.values.index(min(val.values))
        best, then = val.values[lowest], train.values[lowest]
        risen = min(val.now, val.last) - best
        if risen >= RISEN * abs(best) and then - train.now >= FURTHER * abs(then):
            severity = Severity.WARNING if _matters(history, name) else Severity.NOTE
            return Sign(severity, val.step, {val.name: val.now, "lowest": best, train.name: train.now})
    return None


def _matters(history: History, loss: str) -> bool:
    values, position = deployed(history), trained_curve(history, f"val/{loss}_position")
    if values is None or (position and position.now > BEYOND_CHANCE):
        return True
    peak = max(values.values)
    return peak - max(values.now, values.last) > FALL_ERRORS * standard_error(history, peak)


TINY_STEP = 1e-4
"""Norm of a step over the norm of the parameters; AdamW's first steps are usually about 1e-2 to 1e-3."""
STOOD_STILL = 0.01
"""Change of the training loss in an epoch, as a share of it."""


@check(
    meaning="The learning rate is too low: the parameters hardly move, and the loss stands where it began.",
    found_by=(
        f"train/update_ratio never above {TINY_STEP:g}, and train/loss changed by less than {STOOD_STILL:.0%} an "
        f"epoch, over {RECENT} epochs or more."
    ),
    cure="Raise optimizer.lr by a factor of 10 to 100.",
)
def lr_too_low(history: History) -> Sign | None:
    """Small steps alone may be a warm-up or a large network; a loss that stands still alone may be anything."""
    ratio, loss = trained_curve(history, "train/update_ratio"), trained_curve(history, "train/loss")
    if len(ratio) < RECENT or len(loss) < RECENT or max(ratio.values) > TINY_STEP:
        return None
    if abs(loss.last - loss.first) > STOOD_STILL * abs(loss.first) * (len(loss) - 1):
        return None
    return Sign(
        Severity.ILL, loss.step, {ratio.name: max(ratio.values), "first train/loss": loss.first, loss.name: loss.last}
    )


HUGE_STEP = 1.0
"""Norm of a step over the norm of the parameters: the model is replaced at once."""
LARGE_STEP = 0.05
"""Twenty such steps replace it. Networks whose layers are normalised can bear that; most cannot."""


@check(
    meaning="The learning rate is too high: single steps change a large part of the parameters.",
    found_by=(
        f"train/update_ratio above {HUGE_STEP:g} in any epoch; or above {LARGE_STEP} while the deployment metric, "
        f"after {RECENT} epochs or more, is not a standard error above its value at step 0."
    ),
    cure="Lower optimizer.lr by a factor of 10 to 100, or warm up longer.",
)
def lr_too_high(history: History) -> Sign | None:
    """The largest step of all epochs: parameters that were blown up make later steps look small."""
    ratio = trained_curve(history, "train/update_ratio")
    if not ratio or max(ratio.values) <= LARGE_STEP:
        return None
    if max(ratio.values) <= HUGE_STEP and not _learned_nothing(history):
        return None
    return Sign(Severity.WARNING, ratio.step, {ratio.name: max(ratio.values)})


def _learned_nothing(history: History) -> bool:
    values = deployed(history)
    if values is None or values.untrained is None or len(values.trained) < RECENT:
        return False
    return values.now <= values.untrained + standard_error(history, values.untrained)
