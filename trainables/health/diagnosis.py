"""Every check, and what runs them over a trial. The driver calls `diagnose` live, `orch diagnose` afterwards."""

from collections.abc import Mapping

from trainables.health import collapse, settings
from trainables.health.check import Check
from trainables.health.finding import Finding, History, Severity

CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        collapse.point_collapse,
        collapse.dimensional_collapse,
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
