"""Stop rules: whether one trial's own history ends it, and why. Pure functions, called after each measurement.

A trial that diverged is told so before one that is ill, and that before one that has settled. Comparisons with other
trials are the pruner's, in `study`.
"""

import math
from collections.abc import Sequence

from orchestrator.spec import (
    BelowUntrainedRule,
    CollapseRule,
    MaxEpochsRule,
    NonFiniteRule,
    Objective,
    PlateauRule,
    StopRule,
    TargetRule,
)
from orchestrator.trial import Cause, Ending, JsonValue, Measurement

_ORDER = (Cause.DIVERGED, Cause.SICK, Cause.SETTLED)

Series = Sequence[tuple[int, float]]
"""The steps that measured a metric, with its values, oldest first."""


def decide(
    rules: Sequence[StopRule], history: Sequence[Measurement], objective: Objective, *, finite: Sequence[str] = ()
) -> Ending | None:
    """The ending that `rules` ask for, or None to go on.

    Args:
        rules: as in the sweep file; a non-finite objective ends a trial without any.
        history: oldest first; step 0 is the untrained model. A metric that a measurement lacks is skipped there.
        objective: what a rule watches that names no metric.
        finite: further metrics that end a trial without any rule when they are not finite.
    """
    endings = [_diverged("objective", (objective.metric, *finite), history)]
    endings += [_apply(rule, history, objective) for rule in rules]
    found = [ending for ending in endings if ending is not None]
    return min(found, key=lambda ending: _ORDER.index(ending.cause), default=None)


def _apply(rule: StopRule, history: Sequence[Measurement], objective: Objective) -> Ending | None:
    match rule:
        case NonFiniteRule():
            return _diverged(rule.type, rule.metrics, history)
        case CollapseRule():
            return _collapse(rule, history)
        case BelowUntrainedRule():
            return _below_untrained(rule, history, _watched(rule, objective))
        case PlateauRule():
            return _plateau(rule, history, _watched(rule, objective))
        case TargetRule():
            return _target(rule, history, _watched(rule, objective))
        case MaxEpochsRule():
            return _max_epochs(rule, history)


def _watched(rule: PlateauRule | TargetRule | BelowUntrainedRule, objective: Objective) -> Objective:
    """The metric and direction of a rule, the objective's where the rule names none."""
    return Objective(metric=rule.metric or objective.metric, direction=rule.direction or objective.direction)


def _series(history: Sequence[Measurement], metric: str) -> Series:
    return [(m.step, m.metrics[metric]) for m in history if metric in m.metrics]


def _trained(history: Sequence[Measurement], metric: str) -> Series:
    return [(step, value) for step, value in _series(history, metric) if step > 0]


def _plain(number: float) -> JsonValue:
    """A number that JSON can hold: NaN and infinity become their names."""
    return number if math.isfinite(number) else str(number)


def _diverged(rule: str, metrics: Sequence[str], history: Sequence[Measurement]) -> Ending | None:
    """The first measurement with a non-finite value in `metrics`, or in any metric if that is empty."""
    for measurement in history:
        for metric in metrics or measurement.metrics:
            value = measurement.metrics.get(metric, 0.0)
            if not math.isfinite(value):
                detail: dict[str, JsonValue] = {"rule": rule, "metric": metric, "step": measurement.step}
                detail |= {"value": _plain(value), "threshold": "finite"}
                return Ending(Cause.DIVERGED, "diverged", detail)
    return None


def _collapse(rule: CollapseRule, history: Sequence[Measurement]) -> Ending | None:
    names = dict.fromkeys(metric for measurement in history for metric in measurement.metrics)
    for metric in names:
        series = [(step, value) for step, value in _series(history, metric) if step >= rule.after_epochs]
        if not series:
            continue
        step, value = series[-1]
        detail: dict[str, JsonValue] = {"rule": rule.type, "metric": metric, "step": step, "value": _plain(value)}
        if rule.reads_resultant(metric) and value >= rule.resultant_above:
            return Ending(Cause.SICK, rule.type, {**detail, "threshold": rule.resultant_above})
        if rule.reads_rank(metric) and value <= rule.effective_rank_below:
            return Ending(Cause.SICK, rule.type, {**detail, "threshold": rule.effective_rank_below})
    return None


def _below_untrained(rule: BelowUntrainedRule, history: Sequence[Measurement], watched: Objective) -> Ending | None:
    untrained = next((value for step, value in _series(history, watched.metric) if step == 0), None)
    trained = _trained(history, watched.metric)
    if untrained is None or not math.isfinite(untrained) or len(trained) < rule.after_epochs:
        return None
    if any(watched.better(value, untrained) for _, value in trained):
        return None
    best_step, best = _best(trained, watched)
    return Ending(
        Cause.SICK,
        rule.type,
        {
            "rule": rule.type,
            "metric": watched.metric,
            "step": trained[-1][0],
            "best": _plain(best),
            "best_step": best_step,
            "threshold": untrained,
            "after_epochs": rule.after_epochs,
        },
    )


def _best(series: Series, watched: Objective) -> tuple[int, float]:
    """The first best point of a series that is not empty; NaN is worse than anything."""
    best = series[0]
    for point in series[1:]:
        if watched.better(point[1], best[1]) or math.isnan(best[1]):
            best = point
    return best


def _plateau(rule: PlateauRule, history: Sequence[Measurement], watched: Objective) -> Ending | None:
    trained = _trained(history, watched.metric)
    best: tuple[int, float] | None = None
    stale: list[float] = []
    for step, value in trained:
        if math.isnan(value) or (best is not None and not _improves(value, best[1], rule.min_delta, watched)):
            stale.append(value)
        else:
            best, stale = (step, value), []
    if best is None or len(stale) < rule.patience:
        return None
    return Ending(
        Cause.SETTLED,
        rule.type,
        {
            "rule": rule.type,
            "metric": watched.metric,
            "step": trained[-1][0],
            "best": _plain(best[1]),
            "best_step": best[0],
            "values": [_plain(value) for value in stale],
            "threshold": rule.min_delta,
            "patience": rule.patience,
        },
    )


def _improves(value: float, best: float, min_delta: float, watched: Objective) -> bool:
    return watched.better(value, best) and abs(value - best) >= min_delta


def _target(rule: TargetRule, history: Sequence[Measurement], watched: Objective) -> Ending | None:
    """The first trained step at the target; an infinite value reaches nothing."""
    for step, value in _trained(history, watched.metric):
        if math.isfinite(value) and not watched.better(rule.value, value):
            detail: dict[str, JsonValue] = {"rule": rule.type, "metric": watched.metric, "step": step}
            return Ending(Cause.SETTLED, rule.type, {**detail, "value": value, "threshold": rule.value})
    return None


def _max_epochs(rule: MaxEpochsRule, history: Sequence[Measurement]) -> Ending | None:
    if not history or history[-1].step < rule.epochs:
        return None
    detail: dict[str, JsonValue] = {"rule": rule.type, "step": history[-1].step, "threshold": rule.epochs}
    return Ending(Cause.SETTLED, rule.type, detail)
