"""`orch doctor`: a table of what this machine has and what is wrong with it."""

import click
from rich.text import Text

from orchestrator.cli.options import home_options, json_option
from orchestrator.cli.output import out, print_json, table
from orchestrator.errors import ExitCode
from orchestrator.sweeps.examine import Health, examine
from orchestrator.sweeps.paths import Home

_STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.BROKEN: "red"}


@click.command()
@click.option("--address", envvar="ORCH_RAY_ADDRESS", help="Also look at this Ray cluster (host:port).")
@json_option
@home_options
def doctor(address: str | None, as_json: bool, home: Home) -> int:
    """Check versions, Ray, GPU, ledger, MLflow and disk; exit 3 when something is broken."""
    checks = examine(home, address=address)
    broken = any(check.health is Health.BROKEN for check in checks)
    if as_json:
        print_json([{"name": c.name, "health": c.health.value, "text": c.text} for c in checks])
    else:
        rows = table("", "check", "found")
        for check in checks:
            rows.add_row(Text(check.health.value, style=_STYLES[check.health]), check.name, Text(check.text))
        out().print(rows)
    return ExitCode.INFRASTRUCTURE if broken else ExitCode.DONE
