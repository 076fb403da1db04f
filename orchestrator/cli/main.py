"""The command group: a visible table of commands, each imported when it is called, and errors as text."""

import importlib
import sys
from collections.abc import Mapping

import click

from orchestrator.errors import ExitCode, OrchError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "sweep": ("run", "Run a sweep file to its end, with a live table."),
    "resume": ("run", "Go on with a sweep that was interrupted."),
    "confirm": ("confirm", "Train the best again with fresh seeds; read test once."),
    "validate": ("check", "Check a sweep file; starts nothing."),
    "lint": ("lint", "Say what is wrong with the question that a sweep file asks."),
    "plan": ("plan", "Show what a sweep would do; starts nothing."),
    "schema": ("check", "Print the JSON Schema of sweep files."),
    "ls": ("read", "List sweeps."),
    "status": ("read", "How a sweep stands, in a few lines."),
    "show": ("read", "A sweep with all its trials, or one trial."),
    "best": ("read", "The best trial of a sweep."),
    "diagnose": ("diagnose", "What is wrong with a trial, a CSV of metrics or saved epochs."),
    "compare": ("read", "Sweeps or trials side by side."),
    "export": ("export", "Write a trained model, its config and a model card to a folder."),
    "retrain": ("export", "Train a configuration on train and val together, and export it."),
    "stop": ("act", "Ask a running sweep to pause."),
    "sync": ("act", "Deliver to MLflow what it has not got yet."),
    "verify": ("verify", "Check that nothing of a sweep is lost, doubled or contradictory."),
    "repair": ("verify", "Mend what verify finds broken, where that is possible."),
    "ui": ("act", "Open MLflow on the sweeps of this folder."),
    "doctor": ("doctor", "Check this machine: versions, Ray, GPU, ledger, MLflow, disk."),
}
"""Command to its module under `orchestrator.cli` and its line in the help."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"orchestrator.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="orch", prog_name="orch")
def cli() -> None:
    """Sweeps for embedding models: Optuna proposes, Ray Tune executes, one ledger remembers, MLflow shows.

    Start with `orch sweep search_spaces/multitask.yaml`.
    """


def main() -> None:
    """Run the command line; a mistake is a message and an exit code, never a traceback."""
    stdout = sys.stdout
    try:
        code = cli.main(prog_name="orch", standalone_mode=False)
    except click.exceptions.Abort:
        _fail("aborted", ExitCode.SIGINT)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OrchError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", ExitCode.SIGINT)
    except SystemExit as end:
        # The reader of our output has gone, as `head` does: click wraps stdout then, rich raises, and both exit with 1.
        gone = sys.stdout is not stdout or isinstance(end.__context__, BrokenPipeError)
        sys.exit(ExitCode.DONE if gone else end.code)
    # A full disk or a folder that may not be written to, anywhere: the trainable's own are its trial's failures.
    except OSError as error:
        _fail(str(error), ExitCode.INFRASTRUCTURE)
    sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _fail(text: str, code: ExitCode) -> None:
    for line in text.splitlines():
        click.echo(f"orch: {line}" if not line.startswith(" ") else line, err=True)
    sys.exit(code)
