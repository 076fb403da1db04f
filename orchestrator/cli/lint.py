"""`orch lint`: whether the question of a sweep file is a sensible one; nothing is started and nothing is written."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from orchestrator.cli.advice import advice_lines, counts, judged, not_checked
from orchestrator.cli.options import ReadOptions, home_options, json_option, read_options
from orchestrator.errors import ExitCode, SpecError, UsageError
from orchestrator.sweeps.checks import check_file
from orchestrator.sweeps.lint.judge import Report
from orchestrator.sweeps.lint.pages import page
from orchestrator.sweeps.lint.table import RULES, find_rule
from orchestrator.sweeps.paths import Home
from orchestrator.trial import JsonValue


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@read_options
@click.option("--explain", metavar="RULE", help="Print the page of a rule, such as ORC101 or wide-range-not-log.")
@click.option("--rules", is_flag=True, help="List all rules.")
@click.option("--strict", is_flag=True, help="Exit 2 at a warning, too.")
@json_option
@home_options
def lint(
    file: Path | None,
    reading: ReadOptions,
    explain: str | None,
    rules: bool,
    strict: bool,
    as_json: bool,
    home: Home,
) -> int:
    """Say what is wrong with the question that FILE asks; --explain RULE says why."""
    if explain is not None:
        click.echo(page(find_rule(explain)), nl=False)
    elif rules:
        for rule in RULES.values():
            click.echo(f"{rule.id}  {rule.severity.value:<7}  {rule.name:<33}  {rule.title}")
    elif file is None:
        raise UsageError("orch lint needs a FILE, --explain RULE or --rules")
    else:
        return _lint_file(file, reading, home, as_json=as_json, strict=strict)
    return ExitCode.DONE


def _lint_file(file: Path, reading: ReadOptions, home: Home, *, as_json: bool, strict: bool) -> int:
    try:
        # A module may print while it is imported.
        with redirect_stdout(sys.stderr):
            checked = check_file(file, overrides=reading.overrides, directory=Path.cwd(), imports=reading.imports)
            report = judged(checked, home)
    except SpecError as error:
        if not as_json:
            raise
        click.echo(json.dumps(faults_json(error), indent=2))
        return error.exit_code
    if as_json:
        told = {"valid": not report.is_refused, "faults": [], "lint": report.to_json()}
        click.echo(json.dumps(told | {"config_checked": checked.is_config_checked}, indent=2))
    else:
        _print(file, report, not_checked(checked))
    return ExitCode.USAGE if report.is_refused or (strict and report.grave) else ExitCode.DONE


def faults_json(error: SpecError) -> dict[str, JsonValue]:
    """A file with faults, which no rule is asked about."""
    import dataclasses

    return {"valid": False, "faults": [dataclasses.asdict(fault) for fault in error.faults], "lint": None}


def _print(file: Path, report: Report, unseen: str) -> None:
    for line in advice_lines(report.advice):
        click.echo(line)
    more = f"; `orch lint --explain {report.grave[0].rule}` says why" if report.grave else ""
    click.echo(f"{file}: {counts(report)}{more}{unseen}")
