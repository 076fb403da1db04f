"""Several losses on one trunk: which of them rules, and whether they pull apart."""

from collections.abc import Mapping
from statistics import fmean

from trainables.health.check import Sign, check
from trainables.health.curves import RECENT, Curve, curves, trained_curve
from trainables.health.finding import History, Severity

PRIMARY = ("contrastive", "nce")
"""The part that a model is trained for, where a trainable has one; tasks without rank are not compared."""
PRIMARY_FOR_CLASSES = "class_contrastive"
"""The same, where trials are chosen by how well classes are told apart."""
SOLVED = 0.3
"""Position of the primary loss between floor and chance below which its gradient fades because it is met."""


@check(
    meaning=(
        "A side task has more say than the task that the model is for: features serve the side task, and the main "
        "loss learns slowly or not at all."
    ),
    found_by=(
        "A part whose train/weight_share_<part> is above that of the main part (contrastive, or nce), or whose mean "
        f"train/grad_share_<part> over the last {RECENT} epochs is, unless the main loss is nearly met "
        f"(position below {SOLVED}). The evidence has the shares of weight, loss and gradient."
    ),
    cure="Raise the main task's weight above the others, such as loss_weights 2.0 to 0.3 and 0.1, or lower theirs.",
)
def auxiliary_dominates(history: History) -> Sign | None:
    """The weights say what was meant, gradient shares what happens; shares of the loss depend on the loss's unit."""
    shares = {kind: curves(history, f"train/{kind}_share_") for kind in ("weight", "loss", "grad")}
    classes = (PRIMARY_FOR_CLASSES,) if (history.objective or "").startswith("val/class_") else ()
    primary = next((part for part in (*classes, *PRIMARY) if part in shares["weight"]), None)
    if primary is None:
        return None
    rival, kind = _rival(shares, primary, met=_is_met(history, primary))
    if rival is None:
        return None
    evidence = {
        parts[part].name: parts[part].now for parts in shares.values() for part in (rival, primary) if part in parts
    }
    step = shares["weight"][primary].step
    detail = f"{rival} has the larger share of the {kind} than {primary}."
    return Sign(Severity.WARNING, step, evidence, detail=detail)


def _rival(shares: Mapping[str, Mapping[str, Curve]], primary: str, *, met: bool) -> tuple[str | None, str]:
    """The strongest side task where it is stronger than the primary, and by what."""
    for kind, word in (("weight", "weight"), ("grad", "gradient")):
        parts = shares[kind]
        enough = kind == "weight" or (len(parts.get(primary, ())) >= RECENT and not met)
        rivals = {part: values.now for part, values in parts.items() if part != primary}
        if primary in parts and rivals and enough:
            strongest = max(rivals, key=lambda part: rivals[part])
            if rivals[strongest] > parts[primary].now:
                return strongest, word
    return None, ""


def _is_met(history: History, primary: str) -> bool:
    position = trained_curve(history, f"val/{primary}_position")
    return bool(position) and position.now < SOLVED


CONFLICT = -0.3
"""Cosine of two gradients. A single batch's swings by some tenths around 0; a mean this low is no accident."""
CONFLICT_EPOCHS = 5
"""Epochs in the mean: each epoch's cosine is that of one batch."""


@check(
    meaning="Two losses pull the shared trunk in opposite directions: what one learns the other unlearns.",
    found_by=f"Mean of train/grad_cosine_<a>_<b> over the last {CONFLICT_EPOCHS} epochs below {CONFLICT}.",
    cure=(
        "Turn one of the two off (loss_weights.patch_contrastive: 0), lower its weight, or give each a head of its own."
    ),
)
def conflicting_gradients(history: History) -> Sign | None:
    """Read each pair of parts."""
    means = {
        values.name: (fmean(values.values[-CONFLICT_EPOCHS:]), values.step)
        for values in curves(history, "train/grad_cosine_").values()
        if len(values) >= CONFLICT_EPOCHS
    }
    worst = min(means, key=lambda name: means[name][0], default=None)
    if worst is None or means[worst][0] >= CONFLICT:
        return None
    return Sign(Severity.WARNING, means[worst][1], {worst: means[worst][0]})
