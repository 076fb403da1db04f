"""How lint's advice is shown: whole by `orch lint`, short before a sweep starts. Called by the commands that check."""

from pathlib import Path

import click

from orchestrator.errors import UsageError
from orchestrator.sweeps.checks import CheckedSweep
from orchestrator.sweeps.lint.facts import facts_here
from orchestrator.sweeps.lint.judge import Report, lint
from orchestrator.sweeps.lint.question import Facts, Question
from orchestrator.sweeps.lint.rule import Advice, Severity
from orchestrator.sweeps.paths import Home


def judged(checked: CheckedSweep, home: Home, *, facts: Facts | None = None) -> Report:
    """What lint says; without `facts`, with what is known of this machine at once."""
    return lint(Question.of(checked, facts=facts or facts_here(checked.spec, home)))


def advice_lines(advice: tuple[Advice, ...]) -> list[str]:
    """One line for each, and one for its edit."""
    return [line for one in advice for line in (str(one), *([f"    edit: {one.fault.hint}"] if one.fault.hint else []))]


def counts(report: Report) -> str:
    """Such as `1 error, 2 warnings, 1 note`; `no warnings` if there is nothing."""
    found = [(len(report.of(severity)), severity.value) for severity in Severity]
    words = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in found if count]
    if not report.grave:
        words.insert(0, "no warnings")
    if report.ignored:
        words.append(f"{len(report.ignored)} ignored with a reason")
    return ", ".join(words)


def not_checked(checked: CheckedSweep) -> str:
    """What follows the last line where the Config of a user's own trainable was not asked; mostly nothing."""
    return "" if checked.is_config_checked else "; its Config was not checked: --import does, and runs its module"


def warn(report: Report, file: Path, *, quiet: bool = False) -> None:
    """Before something starts: errors and warnings on stderr, and where to read more.

    Args: quiet: errors alone.
    Raises: UsageError: there is an error.
    """
    shown = report.of(Severity.ERROR) if quiet else report.grave
    for line in advice_lines(shown):
        click.echo(line, err=True)
    if shown:
        click.echo(f"{file}: {counts(report)}; `orch lint --explain {shown[0].rule}` says why", err=True)
    if report.is_refused:
        rules = ", ".join(dict.fromkeys(one.rule for one in report.of(Severity.ERROR)))
        raise UsageError(f"{file} cannot answer its question ({rules}): mend it, or give a reason under lint: ignore")
