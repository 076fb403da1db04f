"""Kendall's learned task weights when a task is absent from batches."""

import math

from trainables.health.check import Sign, check
from trainables.health.curves import curves, trained_curve
from trainables.health.finding import History, Severity

TOUCHED = 1e-9
"""An absent task's uncertainty must have a gradient of exactly 0 and stand still; this allows for no rounding even."""


@check(
    meaning=(
        "A task that is absent from a batch still changes its uncertainty: the model grows sure of what it has not "
        "seen. A gradient of 0 is not enough: an optimizer's momentum and weight decay move a parameter without one."
    ),
    found_by=f"train/absent_gradient_<task> or train/absent_drift_<task> above {TOUCHED:g} in any epoch.",
    cure=(
        "Mask the whole term of an absent task, not its loss alone, and keep its uncertainty out of the graph, one "
        "parameter a task (weighting.absent: frozen)."
    ),
)
def phantom_gradient(history: History) -> Sign | None:
    """Read gradient and parameter of each task."""
    found = [
        values
        for kind in ("gradient", "drift")
        for values in curves(history, f"train/absent_{kind}_").values()
        if max(map(abs, values.values)) > TOUCHED
    ]
    if not found:
        return None
    return Sign(Severity.ILL, max(values.step for values in found), {v.name: max(v.values, key=abs) for v in found})


SHOCK = 2.0
"""Factor on a task's precision between its last batch and its next: its gradient jumps by as much."""


@check(
    meaning="A task comes back after an absence with another weight than it left with: its gradient jumps.",
    found_by=(
        f"exp(train/absent_drift_<task>) of {SHOCK:g} or more, or of 1/{SHOCK:g} or less: the change of 1/sigma^2 over "
        "an absence."
    ),
    cure="Keep the uncertainty of an absent task still (weighting.absent: frozen), or mix tasks in every batch.",
)
def precision_shock(history: History) -> Sign | None:
    """Read the largest change of ln sigma^2 over an absence."""
    for task, drift in curves(history, "train/absent_drift_").items():
        worst = max(map(abs, drift.values))
        if worst >= math.log(SHOCK):
            away = trained_curve(history, f"train/batches_since_seen_{task}")
            evidence = {drift.name: worst, "factor on precision": math.exp(min(worst, 700.0))}
            return Sign(Severity.WARNING, drift.step, evidence | ({away.name: max(away.values)} if away else {}))
    return None
