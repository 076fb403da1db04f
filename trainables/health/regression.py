"""Regression on class targets: a prediction that ignores the class."""

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, curve, curves, trained_curve
from trainables.health.finding import History, Severity

BLIND = 0.1
"""R^2 below this is the mean of all targets with a trace of the class at most."""
LOST = -1.0
"""R^2 below this is worse than the mean of all targets by far: the targets' place itself is not learned yet."""
STILL = 0.02
"""Rise of R^2 over the last epochs below which it has settled."""
GUESSES = 0.1
"""Retrieval accuracy above chance that a hundred items may have by luck."""


@check(
    meaning=(
        "The error is that of the best constant: predictions are the mean of all class targets and carry no class. "
        "A loss that fell by 90 % to get there has learned the mean, nothing else."
    ),
    found_by=(
        f"val/r2_<target> (or val/r2) between {LOST:g} and {BLIND}, and either val/retrieval_accuracy_<target> less "
        f"than {GUESSES} above chance as a mean of the last {RECENT} epochs, or an R^2 above -{BLIND} that rose by "
        f"less than {STILL} over them."
    ),
    cure=(
        "Raise clip.optimizer.lr, raise clip.loss.contrastive_weight, use an adapter with more heads, and check that "
        "the inputs carry the class and that a final norm can reach the targets' norm."
    ),
)
def class_blind(history: History) -> Sign | None:
    """R^2 is against the class-blind mean; read every target space."""
    for r2 in (*curves(history, "val/r2_").values(), trained_curve(history, "val/r2")):
        if len(r2) <= RECENT or not LOST < r2.last < BLIND:
            continue
        target = r2.name.removeprefix("val/r2")
        settled = r2.last > -BLIND and r2.last - r2.values[-1 - RECENT] < STILL
        if settled or _guesses(history, target):
            others = (f"val/mse{target}", f"val/class_blind_mse{target}", f"val/retrieval_accuracy{target}")
            found = [values for values in (curve(history, name) for name in others) if values]
            return Sign(Severity.ILL, r2.step, {r2.name: r2.last} | {values.name: values.last for values in found})
    return None


def _guesses(history: History, target: str) -> bool:
    accuracy = trained_curve(history, f"val/retrieval_accuracy{target}")
    chance = trained_curve(history, "val/chance_retrieval_accuracy")
    return len(accuracy) >= RECENT and bool(chance) and accuracy.now < chance.last + GUESSES
