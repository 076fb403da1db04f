"""Regression on class targets: a prediction that ignores the class."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, curves, trained_curve
from trainables.health.finding import History, Severity

BLIND = 0.1
"""R^2 within this of 0 is the mean of all targets with a trace of the class at most."""
STILL = 0.02
"""Rise of R^2 over the last epochs below which it has settled."""


@check(
    meaning=(
        "The error is that of the best constant: predictions are the mean of all class targets and carry no class. "
        "A loss that fell by 90 % to get there has learned the mean, nothing else."
    ),
    found_by=(
        f"val/r2 or val/r2_<target> within {BLIND} of 0 and risen by less than {STILL} over the last {RECENT} epochs."
    ),
    cure=(
        "Raise optimizer.lr, weigh classes (loss: weighted_mse), use a contrastive term or more heads, and check that "
        "the inputs carry the class and that a final norm can reach the targets' norm."
    ),
)
def class_blind(history: History) -> Sign | None:
    """R^2 is against the class-blind mean; read every target space."""
    targets = [trained_curve(history, "val/r2"), *curves(history, "val/r2_").values()]
    for r2 in targets:
        if len(r2) > RECENT and abs(r2.last) < BLIND and r2.last - r2.values[-1 - RECENT] < STILL:
            suffix = r2.name.removeprefix("val/r2")
            others = (f"val/mse{suffix}", f"val/class_blind_mse{suffix}", f"val/retrieval_accuracy{suffix}")
            found = [values for values in (curve(history, name) for name in others) if values]
            return Sign(Severity.ILL, r2.step, {r2.name: r2.last} | {values.name: values.last for values in found})
    return None
