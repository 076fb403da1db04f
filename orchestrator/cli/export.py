"""`orch export` and `orch retrain`: a trained model as a folder that anyone can use."""

import functools
from pathlib import Path

import click

from orchestrator.cli.options import Command, home_options, json_option
from orchestrator.cli.output import only_json, print_json
from orchestrator.sweeps.export import Destination, ExportReport
from orchestrator.sweeps.export import export as export_model
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.retrain import retrain as retrain_model

_which_argument = click.argument("which", metavar="[best|TRIAL|CANDIDATE]", default="best")


def _destination_options(command: Command) -> Command:
    """`--to`, `--register` and `--no-register`, as one `to`."""

    @functools.wraps(command)
    def with_destination(*args: object, folder: Path, register: str | None, no_register: bool, **rest: object) -> int:
        if register is not None and no_register:
            raise click.UsageError("--register and --no-register contradict each other")
        return command(*args, to=Destination(folder, Path.cwd(), not no_register, register), **rest)

    to = click.option(
        "--to", "folder", type=click.Path(path_type=Path), required=True, help="The folder to write; it must be new."
    )
    register = click.option(
        "--register", metavar="NAME", help="Name of the MLflow registered model; the sweep's name by default."
    )
    no_register = click.option("--no-register", is_flag=True, help="Register nothing in MLflow.")
    return to(register(no_register(with_destination)))


@click.command()
@click.argument("reference", metavar="SWEEP")
@_which_argument
@_destination_options
@json_option
@home_options
def export(reference: str, which: str, to: Destination, as_json: bool, home: Home) -> int:
    """Write the weights of a training of SWEEP, its config and a model card to a folder.

    best is the confirmed winner, or without a confirmation the best trial. TRIAL is a number, CANDIDATE the label of a
    confirmed candidate, such as default.
    """
    with only_json(as_json):
        report = export_model(home, reference, which, to)
    return _show(report, as_json)


@click.command()
@click.argument("reference", metavar="SWEEP")
@_which_argument
@_destination_options
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the seed of that training.")
@json_option
@home_options
def retrain(reference: str, which: str, to: Destination, seed: int | None, as_json: bool, home: Home) -> int:
    """Train a configuration of SWEEP on train and val together, in this process, and export the model.

    It trains for as many epochs as the configuration was best at. Neither val nor test is measured.
    """
    with only_json(as_json):
        report = retrain_model(home, reference, which, to, seed=seed, watch=_say_epoch)
    return _show(report, as_json)


def _say_epoch(epoch: int, epochs: int) -> None:
    click.echo(f"epoch {epoch} of {epochs}", err=True)


def _show(report: ExportReport, as_json: bool) -> int:
    if as_json:
        print_json(report.to_json())
        return 0
    click.echo(f"{report.choice.name}, epoch {report.epoch}, seed {report.seed}: exported to {report.folder}")
    registration = report.registration
    if registration is not None and registration.version is not None:
        click.echo(f"registered in MLflow: {registration.name} version {registration.version}")
    elif registration is not None:
        click.echo(f"not registered in MLflow: {registration.error}", err=True)
    return 0
