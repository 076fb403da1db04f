"""Options that several commands share. Groups of options arrive as one value."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from orchestrator.sweeps.paths import Home

Command = Callable[..., int]
F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a sweep runs and is shown.

    Attributes:
        runner: `ray` or `local`.
        address: a running Ray cluster to join.
        epochs: a line for each epoch, where there is no live table.
        quiet: no progress at all.
    """

    runner: str
    address: str | None
    epochs: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class EndOptions:
    """What comes after a search whose file has `confirm:`.

    Attributes:
        confirm: confirm what it has found.
        again: read test though it has been read before.
    """

    confirm: bool
    again: bool


def home_options(command: Command) -> Command:
    """`--home`, `--ledger`, `--tracking-uri`, `--storage`: where sweeps are kept, as one `home`."""

    @functools.wraps(command)
    def with_home(
        *args: object, home: Path, ledger: str | None, tracking_uri: str | None, storage: Path | None, **rest: object
    ) -> int:
        return command(*args, home=Home(home, ledger, tracking_uri, storage), **rest)

    options = [
        click.option(
            "--home",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="ORCH_HOME",
            default=Path(".orch"),
            show_default=True,
            show_envvar=True,
            help="Folder of ledger, runs and checkpoints.",
        ),
        click.option("--ledger", envvar="ORCH_LEDGER", help="Ledger database URL instead of HOME/ledger.db."),
        click.option(
            "--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow server or store instead of HOME/mlflow.db."
        ),
        click.option(
            "--storage",
            envvar="ORCH_STORAGE",
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder for checkpoints that all nodes of a cluster see, instead of HOME.",
        ),
    ]
    return _with_options(with_home, options)


def run_options(command: Command) -> Command:
    """`--runner`, `--address`, `--epochs`, `--quiet`, as one `options`."""

    @functools.wraps(command)
    def with_options(*args: object, runner: str, address: str | None, epochs: bool, quiet: bool, **rest: object) -> int:
        return command(*args, options=RunOptions(runner, address, epochs, quiet), **rest)

    options = [
        click.option(
            "--runner",
            type=click.Choice(["ray", "local"]),
            default="ray",
            show_default=True,
            help="local: in this process, one trial at a time.",
        ),
        click.option(
            "--address", envvar="ORCH_RAY_ADDRESS", help="Join this Ray cluster (host:port) instead of a local one."
        ),
        click.option("--epochs", is_flag=True, help="A line for each epoch, where there is no live table."),
        click.option("--quiet", is_flag=True, help="No progress."),
    ]
    return _with_options(with_options, options)


def end_options(command: Command) -> Command:
    """`--no-confirm`, `--again`, as one `end`."""

    @functools.wraps(command)
    def with_end(*args: object, no_confirm: bool, again: bool, **rest: object) -> int:
        return command(*args, end=EndOptions(confirm=not no_confirm, again=again), **rest)

    options = [
        click.option("--no-confirm", is_flag=True, help="End with the search, whatever the file's confirm: says."),
        click.option("--again", is_flag=True, help="Read the test split though it has been read before."),
    ]
    return _with_options(with_end, options)


def _with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def json_option(command: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(command)


def set_option(command: F) -> F:
    """`--set a.b=c`, repeatable."""
    help_text = "Change a value of the file: --set budget.trials=4 --set space.optimizer.lr.low=1e-4. Repeatable."
    return click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=help_text)(command)


def file_argument(command: F) -> F:
    """The sweep file."""
    return click.argument("file", type=click.Path(path_type=Path))(command)
