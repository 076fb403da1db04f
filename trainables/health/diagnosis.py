"""Every check, and what runs them over a trial. The driver calls `diagnose` live, `orch diagnose` afterwards."""

from collections.abc import Mapping

from trainables.health import (
    alignment,
    ant,
    balance,
    classes,
    collapse,
    losses,
    mining,
    ranking,
    regression,
    settings,
    text,
    training,
    uncertainty,
)
from trainables.health.check import Check
from trainables.health.finding import Finding, History, Severity

CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        collapse.point_collapse,
        collapse.dimensional_collapse,
        training.non_finite,
        training.exploding_gradients,
        training.lr_too_high,
        training.lr_too_low,
        training.overfitting,
        losses.loss_pinned,
        losses.loss_squeezed,
        losses.temperature_out_of_range,
        alignment.negative_alignment,
        alignment.unmatched_cosine_high,
        balance.auxiliary_dominates,
        balance.conflicting_gradients,
        mining.mining_fallback,
        mining.farthest_negatives,
        mining.stale_embeddings,
        mining.too_few_positives,
        mining.duplicate_positives,
        ranking.worse_than_untrained,
        ranking.ranking_falls,
        ranking.invalid_queries_counted,
        ranking.wrong_selection_metric,
        regression.class_blind,
        ant.ant_at_floor,
        ant.violation_rate_out_of_range,
        ant.ant_gamed,
        ant.gap_idle,
        uncertainty.phantom_gradient,
        uncertainty.precision_shock,
        classes.rare_class_ignored,
        text.numbers_missing,
        settings.key_without_effect,
    )
}
"""By name; findings of one severity come in this order."""

_ORDER = (Severity.ILL, Severity.WARNING, Severity.NOTE)


def diagnose(history: History) -> tuple[Finding, ...]:
    """What is wrong with a trial, most severe first; empty when nothing is. Cheap enough for every measurement."""
    findings = [finding for check in CHECKS.values() if (finding := check(history)) is not None]
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def explain(check: str) -> str:
    """What a check looks for, how, and what to do about it; a few lines of text.

    Raises: KeyError: there is no such check.
    """
    found = CHECKS[check]
    return f"{found.name}\n\n{found.meaning}\n\nFound by: {found.found_by}\n\nCure: {found.cure}"
