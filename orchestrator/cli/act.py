"""`orch stop`, `orch sync` and `orch ui`."""

import os

import click

from orchestrator.cli.options import home_options, json_option
from orchestrator.cli.output import print_json
from orchestrator.errors import ExitCode
from orchestrator.execution.clock import Clock
from orchestrator.sweeps.maintain import deliver, request_stop
from orchestrator.sweeps.paths import Home
from orchestrator.tracking import redact, ui_command, ui_environment


@click.command()
@click.argument("reference", metavar="SWEEP")
@home_options
def stop(reference: str, home: Home) -> int:
    """Ask the driver of SWEEP to pause: running epochs end, nothing is lost, `orch resume` goes on."""
    record, driver = request_stop(home, reference)
    click.echo(f"asked {driver} to pause sweep {record.name}; go on with: orch resume {record.name}")
    return 0


@click.command()
@click.argument("reference", metavar="SWEEP")
@click.option("--timeout", type=click.FloatRange(min=0), default=120.0, show_default=True, help="Seconds to try.")
@click.option("--all", "everything", is_flag=True, help="Tell MLflow everything again, as after its store was lost.")
@json_option
@home_options
def sync(reference: str, timeout: float, everything: bool, as_json: bool, home: Home) -> int:
    """Deliver to MLflow what it has not got of SWEEP."""
    record, report = deliver(home, reference, clock=Clock(), timeout_s=timeout, everything=everything)
    if as_json:
        print_json(
            {
                "sweep": record.name,
                "shipped": report.shipped,
                "pending": report.pending,
                "rejected": report.rejected,
                "error": report.error,
            }
        )
    else:
        click.echo(f"{record.name}: {report.shipped} delivered, {report.pending} pending, {report.rejected} rejected")
        if report.error:
            click.echo(f"MLflow: {redact(report.error)}", err=True)
    return ExitCode.INFRASTRUCTURE if report.pending else ExitCode.DONE


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Port.")
@home_options
def ui(host: str, port: int, home: Home) -> int:
    """Open MLflow on the sweeps of this folder; Ctrl-C ends it."""
    command = ui_command(home.tracking_uri, artifacts=home.artifacts, host=host, port=port)
    click.echo(f"MLflow on http://{host}:{port} shows {redact(home.tracking_uri)}", err=True)
    os.execve(command[0], command, ui_environment(home.tracking_uri, os.environ))
