"""`orch verify` and `orch repair`: whether all that is recorded of a sweep agrees, one line a check, and mending it."""

import json
import os

import click
from rich.console import Console
from rich.text import Text

from orchestrator.cli.options import home_options, json_option
from orchestrator.cli.output import out, print_indented, print_json
from orchestrator.execution.clock import Clock
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.repair import repair as repair_sweep
from orchestrator.sweeps.verifying.report import CheckId, Health, Verification, Violation
from orchestrator.sweeps.verifying.verify import verify as verify_sweep

_STYLES = {Health.OK: "green", Health.BROKEN: "red", Health.NOT_APPLICABLE: "dim"}
_WIDTH = max(len(check) for check in CheckId)
MAX_SHOWN = 20
"""Violations of one check; --json has all."""


@click.command()
@click.argument("reference", metavar="SWEEP")
@click.option("--no-mlflow", is_flag=True, help="Do not look at MLflow.")
@click.option("--no-replay", is_flag=True, help="Do not draft the trials of a sequential sweep again.")
@json_option
@home_options
def verify(reference: str, no_mlflow: bool, no_replay: bool, as_json: bool, home: Home) -> int:
    """Check that nothing of SWEEP is lost, doubled or contradictory; exit 6 when something is. Changes nothing."""
    verification = verify_sweep(
        home, reference, Scope(mlflow=not no_mlflow, replay=not no_replay, environment=os.environ)
    )
    if as_json:
        print_json(verification.to_json())
    else:
        show_verification(verification, out())
    return verification.exit_code


@click.command()
@click.argument("reference", metavar="SWEEP")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@home_options
def repair(reference: str, dry_run: bool, as_json: bool, home: Home) -> int:
    """Mend what is broken in SWEEP and can be mended, then verify it; exit 6 when something is still broken.

    No parameter, measurement or value in the ledger is changed. Runs too many are deleted as MLflow deletes them.
    """
    repaired = repair_sweep(home, reference, Scope(environment=os.environ), clock=Clock(), dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "done": list(repaired.done), **repaired.verification.to_json()})
        return repaired.verification.exit_code
    for line in repaired.done or ["nothing to do"]:
        click.echo(f"would {line}" if dry_run and repaired.done else line)
    show_verification(repaired.verification, out())
    return repaired.verification.exit_code


def show_verification(verification: Verification, console: Console) -> None:
    """One line a check, and below a broken one what is wrong."""
    console.print(f"sweep {verification.sweep} is {verification.state}", markup=False)
    for check, outcome in verification.outcomes.items():
        line = Text.assemble((f"{outcome.health.value:<15}", _STYLES[outcome.health]), f"{check.value:<{_WIDTH}}  ")
        console.print(line.append(outcome.note), soft_wrap=True)
        for violation in outcome.violations[:MAX_SHOWN]:
            print_indented(console, Text(violation_text(violation)), by=4)
        if (more := len(outcome.violations) - MAX_SHOWN) > 0:
            print_indented(console, Text(f"and {more} more: --json has all"), by=4)
    count = len(verification.violations)
    what = "sound" if verification.is_sound else f"broken: {count} violation{'s' if count > 1 else ''}"
    mend = f"; orch repair {verification.sweep} mends what it can" if _any_repairable(verification) else ""
    console.print(f"{verification.sweep} is {what}{mend}", markup=False)


def violation_text(violation: Violation) -> str:
    """One line: whose, what, the values, and what can be done."""
    whose = "" if violation.trial is None else f"trial {violation.trial}: "
    seen = "" if violation.seen is None else f"; seen {_value(violation.seen)}"
    expected = "" if violation.expected is None else f"; expected {_value(violation.expected)}"
    cure = "orch repair mends it" if violation.repairable else violation.advice
    return f"{whose}{violation.what}{seen}{expected}{f' ({cure})' if cure else ''}"


def _any_repairable(verification: Verification) -> bool:
    return any(violation.repairable for violation in verification.violations)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=dict)
