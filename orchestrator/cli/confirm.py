"""`orch confirm`, and the confirmation at the end of `orch sweep` and `orch resume`."""

import functools
import getpass
import shlex
import socket
import sys
import uuid
from dataclasses import dataclass

import click
from rich.console import Console

from orchestrator.cli.confirmation import print_report, report_json
from orchestrator.cli.options import Command, RunOptions, home_options, json_option, run_options
from orchestrator.cli.output import only_json, out, print_json
from orchestrator.cli.run import print_farewell, surroundings, telling_how_to_go_on
from orchestrator.errors import OrchError
from orchestrator.sweeps.confirming.confirm import Asked, Confirmation
from orchestrator.sweeps.confirming.confirm import confirm as confirm_sweep
from orchestrator.sweeps.confirming.find import confirmation_of
from orchestrator.sweeps.drive import Surroundings
from orchestrator.sweeps.paths import Home
from orchestrator.tracking import redact
from orchestrator.trial import JsonValue


def confirm_options(command: Command) -> Command:
    """`--top`, `--seeds`, `--max-trials`, `--no-test`, `--again`, as one `asked`."""

    @functools.wraps(command)
    def with_asked(
        *args: object,
        top: int | None,
        seeds: int | None,
        max_trials: int | None,
        no_test: bool,
        again: bool,
        **rest: object,
    ) -> int:
        test = False if no_test else None
        asked = Asked(who(), called(), top=top, seeds=seeds, max_trials=max_trials, test=test, again=again)
        return command(*args, asked=asked, **rest)

    options = [
        click.option("--top", type=click.IntRange(1), help="Configurations of the search; default: the file's, or 3."),
        click.option("--seeds", type=click.IntRange(3), help="Fresh seeds of each; default: the file's, or 10."),
        click.option("--max-trials", type=click.IntRange(6), help="Trainings in all, the default configuration's too."),
        click.option("--no-test", is_flag=True, help="Leave the test split unread: val with fresh seeds decides."),
        click.option("--again", is_flag=True, help="Read test though it has been read before."),
    ]
    for option in reversed(options):
        with_asked = option(with_asked)
    return with_asked


@click.command()
@click.argument("reference", metavar="SWEEP")
@confirm_options
@json_option
@run_options
@home_options
def confirm(reference: str, asked: Asked, as_json: bool, options: RunOptions, home: Home) -> int:
    """Train the best configurations of SWEEP and the default again with fresh seeds, then read test once."""
    return run(reference, asked, home, options, as_json=as_json)


def run(
    reference: str, asked: Asked, home: Home, options: RunOptions, *, as_json: bool, take_over: bool = False
) -> int:
    """Confirm, and print what came out."""
    with only_json(as_json):
        around = surroundings(home, options, take_over=take_over)
        with telling_how_to_go_on(home, options):
            done = confirm_sweep(reference, around, asked, sweep_id=uuid.uuid4().hex[:8])
    if as_json:
        print_json(to_json(done))
    elif done.report is not None:
        print_report(out(), done.report)
    if done.report is None:
        print_farewell(done.summary, home, options)
    return done.summary.exit_code


def to_json(done: Confirmation) -> dict[str, JsonValue]:
    """The report, and the sweep in which its candidates were trained."""
    return report_json(done.summary.sweep.name, done.summary.state, done.report)


@dataclass(frozen=True, slots=True)
class AtTheEnd:
    """The confirmation after a search: what to add to the JSON of the search, and the exit code."""

    json: JsonValue
    exit_code: int


def at_the_end(name: str, around: Surroundings, options: RunOptions, *, again: bool) -> AtTheEnd:
    """Confirm a search that has come to its end. What cannot be confirmed is said; the search stands."""
    if (report := confirmation_of(around.home, name)) is not None:
        around.watcher.say(f"{name} was confirmed by {report.confirmation}: {report.verdict.sentence}")
        return AtTheEnd(report_json(report.confirmation, "COMPLETE", report), 0)
    try:
        with telling_how_to_go_on(around.home, options):
            done = confirm_sweep(name, around, asked_by(again), sweep_id=uuid.uuid4().hex[:8])
    except OrchError as error:
        click.echo(f"orch: not confirmed: {error}", err=True)
        return AtTheEnd(None, error.exit_code)
    if done.report is None:
        print_farewell(done.summary, around.home, options)
    elif not options.quiet:
        print_report(Console(stderr=True, highlight=False), done.report)
    return AtTheEnd(to_json(done), done.summary.exit_code)


def asked_by(again: bool) -> Asked:
    """What the sweep file's `confirm:` says."""
    return Asked(who(), called(), again=again)


def who() -> str:
    """Such as `mira@node7`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def called() -> str:
    """As it was called, without the passwords of its URLs."""
    return redact(shlex.join(["orch", *sys.argv[1:]]))
