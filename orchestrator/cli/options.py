"""Options that several commands share. Groups of options arrive as one value."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import SecretStr

from orchestrator.sweeps.paths import Home, SweepPaths

if TYPE_CHECKING:
    from orchestrator.execution.runner import Runner

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
    epochs: bool = False
    quiet: bool = False

    def build_runner(self, paths: SweepPaths) -> "Runner":
        """The runner of a sweep with these files."""
        if self.runner == "local":
            from orchestrator.execution.local import LocalRunner

            return LocalRunner()
        from orchestrator.execution.ray_tune import RayRunner

        return RayRunner(address=self.address, tune_folder=paths.tune)


@dataclass(frozen=True, slots=True)
class EndOptions:
    """What comes after a search whose file has `confirm:`.

    Attributes:
        confirm: confirm what it has found.
        again: read test though it has been read before.
    """

    confirm: bool
    again: bool


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What a new sweep begins with.

    Attributes:
        name: of the sweep; None for the file's name and a number.
        continue_from: an earlier sweep whose trials it knows.
        may_differ: keys of the config that may differ from that sweep's.
    """

    name: str | None
    continue_from: str | None
    may_differ: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a sweep file is read by a command that starts nothing.

    Attributes:
        overrides: of its values.
        imports: whether a user's own module is imported, and with that run.
    """

    overrides: tuple[str, ...]
    imports: bool


def start_options(command: Command) -> Command:
    """`--name`, `--continue-from`, `--may-differ`, as one `start`."""

    @functools.wraps(command)
    def with_start(
        *args: object, name: str | None, continue_from: str | None, may_differ: tuple[str, ...], **rest: object
    ) -> int:
        return command(*args, start=StartOptions(name, continue_from, may_differ), **rest)

    options = [
        click.option("--name", help="Name of the sweep; default: the file's name plus a number."),
        click.option(
            "--continue-from", metavar="SWEEP", help="Let the sampler and the pruner know the trials of this sweep."
        ),
        click.option(
            "--may-differ",
            multiple=True,
            metavar="KEY",
            help="With --continue-from: a config key whose value changes no measurement. Repeatable.",
        ),
    ]
    return _with_options(with_start, options)


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """How a sweep goes on.

    Attributes:
        extend: more trials or epochs for it.
        take_over: in the place of whoever drives it now.
    """

    extend: tuple[str, ...]
    take_over: bool


def resume_options(command: Command) -> Command:
    """`--extend`, `--take-over`, as one `more`."""

    @functools.wraps(command)
    def with_more(*args: object, extend: tuple[str, ...], take_over: bool, **rest: object) -> int:
        return command(*args, more=ResumeOptions(extend, take_over), **rest)

    options = [
        click.option(
            "--extend",
            multiple=True,
            metavar="WHAT=N",
            help="More for a finished sweep: trials=+20, trials=40, epochs=+10, epochs=20. Repeatable.",
        ),
        click.option(
            "--take-over",
            is_flag=True,
            help="Go on in the place of its driver, which is alive or was on another machine.",
        ),
    ]
    return _with_options(with_more, options)


def home_options(command: Command) -> Command:
    """`--home`, `--ledger`, `--tracking-uri`, `--storage`: where sweeps are kept, as one `home`."""

    @functools.wraps(command)
    def with_home(
        *args: object, home: Path, ledger: str | None, tracking_uri: str | None, storage: Path | None, **rest: object
    ) -> int:
        return command(*args, home=Home(home, _secret(ledger), _secret(tracking_uri), storage), **rest)

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


def _secret(url: str | None) -> SecretStr | None:
    return None if url is None else SecretStr(url)


def run_options(command: Command) -> Command:
    """`--runner`, `--address`, `--epochs`, `--quiet`, as one `options`."""

    @functools.wraps(command)
    def with_options(*args: object, runner: str, address: str | None, epochs: bool, quiet: bool, **rest: object) -> int:
        return command(*args, options=RunOptions(runner, address, epochs, quiet), **rest)

    options: list[Callable[[Command], Command]] = [
        *_target(),
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


def target_options(command: Command) -> Command:
    """`--runner` and `--address` alone, as one `options`."""

    @functools.wraps(command)
    def with_target(*args: object, runner: str, address: str | None, **rest: object) -> int:
        return command(*args, options=RunOptions(runner, address), **rest)

    return _with_options(with_target, _target())


def _target() -> list[Callable[[Command], Command]]:
    return [
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
    ]


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


def import_option(command: F) -> F:
    """`--import`, as `imports`."""
    help_text = "Import a trainable of your own, which runs its module, and check the file against its Config."
    return click.option("--import", "imports", is_flag=True, help=help_text)(command)


def read_options(command: Command) -> Command:
    """`--set` and `--import`, as one `reading`."""

    @functools.wraps(command)
    def with_reading(*args: object, overrides: tuple[str, ...], imports: bool, **rest: object) -> int:
        return command(*args, reading=ReadOptions(overrides, imports), **rest)

    return set_option(import_option(with_reading))


def file_argument(command: F) -> F:
    """The sweep file."""
    return click.argument("file", type=click.Path(path_type=Path))(command)
