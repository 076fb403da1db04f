"""`orch sweep` and `orch resume`."""

import os
import shlex
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from orchestrator.analysis.budgets import Limit
from orchestrator.cli.advice import judged, warn
from orchestrator.cli.findings import illness_lines
from orchestrator.cli.options import (
    EndOptions,
    ResumeOptions,
    RunOptions,
    StartOptions,
    end_options,
    file_argument,
    home_options,
    json_option,
    resume_options,
    run_options,
    set_option,
    start_options,
)
from orchestrator.cli.output import continued_lines, duration, number, only_json, params_text, print_json
from orchestrator.cli.watch import LiveTable, PlainLines, Silent
from orchestrator.errors import BrokenOffError, InfrastructureError, UsageError
from orchestrator.execution.clock import Clock
from orchestrator.study import SweepState
from orchestrator.sweeps.checks import CheckedSweep, check_file
from orchestrator.sweeps.confirming.find import is_confirmation
from orchestrator.sweeps.drive import Surroundings, launch
from orchestrator.sweeps.drive import resume as resume_sweep
from orchestrator.sweeps.findings import SweepFindings, sweep_findings
from orchestrator.sweeps.lint.measured import facts_before
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.sweeps.watching import Watcher
from orchestrator.tracking import is_server, redact, without_credentials
from orchestrator.trial import JsonValue

if TYPE_CHECKING:
    from orchestrator.cli.confirm import AtTheEnd
    from orchestrator.sweeps.continuing import History


@click.command()
@file_argument
@start_options
@set_option
@json_option
@end_options
@run_options
@home_options
def sweep(
    file: Path,
    start: StartOptions,
    overrides: tuple[str, ...],
    as_json: bool,
    end: EndOptions,
    options: RunOptions,
    home: Home,
) -> int:
    """Run the sweep in FILE to its end, and confirm what it has found where the file has `confirm:`."""
    around = surroundings(home, options)
    checked = check_file(file, overrides=overrides, directory=around.directory)
    report = judged(checked, home, facts=facts_before(checked.spec, home))
    warn(report, file, quiet=options.quiet)
    if end.confirm and checked.spec.confirm is not None:
        from orchestrator.sweeps.confirming.confirm import look_ahead

        look_ahead(checked, around, again=end.again)
    with only_json(as_json):
        history = _history(start, checked, around)
        with telling_how_to_go_on(home, options):
            summary = launch(checked, around, name=start.name, sweep_id=uuid.uuid4().hex[:8], history=history)
        print_farewell(summary, home, options)
        confirmed = _confirm(summary, around, options, end)
    return _end(summary, confirmed, as_json=as_json, lint=report.to_json())


@click.command()
@click.argument("reference", metavar="SWEEP")
@set_option
@resume_options
@json_option
@end_options
@run_options
@home_options
def resume(
    reference: str,
    overrides: tuple[str, ...],
    more: ResumeOptions,
    as_json: bool,
    end: EndOptions,
    options: RunOptions,
    home: Home,
) -> int:
    """Go on with SWEEP (name or id): open trials first, then the rest of its budget, then its confirmation."""
    if is_confirmation(home, reference):
        from orchestrator.cli import confirm

        if overrides or more.extend:
            what = "--set" if overrides else "--extend"
            raise UsageError(f"{reference} is a confirmation: it keeps its settings, and {what} has nothing to change")
        asked = confirm.asked_by(end.again)
        return confirm.run(reference, asked, home, options, as_json=as_json, take_over=more.take_over)
    around = surroundings(home, options, take_over=more.take_over)
    with only_json(as_json):
        with telling_how_to_go_on(home, options):
            summary = resume_sweep(reference, around, overrides=overrides, extend=more.extend)
        print_farewell(summary, home, options)
        confirmed = _confirm(summary, around, options, end)
    return _end(summary, confirmed, as_json=as_json)


def _history(start: StartOptions, checked: CheckedSweep, around: Surroundings) -> "History | None":
    """The trials that the new sweep takes over, said before it starts."""
    if start.continue_from is None:
        if start.may_differ:
            raise UsageError("--may-differ says something of --continue-from SWEEP, which is not there")
        return None
    from orchestrator.sweeps.continuing import history_of

    history = history_of(
        around.home, start.continue_from, checked, directory=around.directory, may_differ=start.may_differ
    )
    for line in continued_lines(history.continued):
        around.watcher.say(line)
    return history


def surroundings(home: Home, options: RunOptions, *, take_over: bool = False) -> Surroundings:
    """What the options say of the runner and of what is shown."""
    directory = Path.cwd()
    return Surroundings(
        home=home,
        runner=options.build_runner,
        watcher=_watcher(options),
        clock=Clock(),
        directory=directory,
        take_over=take_over,
    )


def _watcher(options: RunOptions) -> Watcher:
    console = Console(stderr=True, highlight=False)
    if options.quiet:
        return Silent()
    live = console.is_terminal and os.environ.get("TERM") != "dumb"
    return LiveTable(console) if live else PlainLines(console, epochs=options.epochs)


def _confirm(summary: SweepSummary, around: Surroundings, options: RunOptions, end: EndOptions) -> "AtTheEnd | None":
    """Confirm a search that has come to its end, where its file asks for that."""
    wanted = end.confirm and summary.sweep.spec.confirm is not None
    if not wanted or summary.sweep.state is not SweepState.COMPLETE:
        return None
    from orchestrator.cli.confirm import at_the_end

    return at_the_end(summary.sweep.name, around, options, again=end.again)


def _end(
    summary: SweepSummary,
    confirmed: "AtTheEnd | None",
    *,
    as_json: bool,
    lint: Mapping[str, JsonValue] | None = None,
) -> int:
    if as_json:
        more: dict[str, JsonValue] = {} if lint is None else {"lint": dict(lint)}
        if confirmed is not None:
            more["confirmation"] = confirmed.json
        print_json(summary.to_json() | sweep_findings(summary.sweep, summary.trials).to_json() | more)
    return summary.exit_code or (0 if confirmed is None else confirmed.exit_code)


def print_farewell(summary: SweepSummary, home: Home, options: RunOptions) -> None:
    """The best trial, what was ill, where to look, and the exact command that goes on; nothing with `--quiet`."""
    if not options.quiet:
        _farewell(summary, sweep_findings(summary.sweep, summary.trials), home, options)


def _prefix(home: Home) -> str:
    """Where things are, for the next command: all that this one was told and that the shell is not set to."""
    told = {
        "ORCH_HOME": None if home.root == Path(".orch") else str(home.root),
        "ORCH_LEDGER": home.ledger_url if home.ledger else None,
        "ORCH_STORAGE": str(home.storage) if home.storage else None,
    }
    return "".join(
        f"{name}={shlex.quote(redact(value))} "
        for name, value in told.items()
        if value and value != os.environ.get(name)
    )


@contextmanager
def telling_how_to_go_on(home: Home, options: RunOptions) -> Iterator[None]:
    """Add the exact command to what broke a sweep off.

    Raises:
        InfrastructureError: with it.
    """
    try:
        yield
    except BrokenOffError as error:
        command = f"{_prefix(home)}{_resume_command(error.sweep, options)}"
        raise InfrastructureError(f"{error}\n  nothing that was acknowledged is lost; go on with: {command}") from error


def _resume_command(sweep: str, options: RunOptions, used_up: Mapping[Limit, float] | None = None) -> str:
    command = f"orch resume {sweep}"
    if options.runner != "ray":
        command += f" --runner {options.runner}"
    if options.address not in (None, os.environ.get("ORCH_RAY_ADDRESS")):
        command += f" --address {options.address}"
    return command + "".join(f" --set budget.{limit}={2 * value:g}" for limit, value in (used_up or {}).items())


def _mlflow_place(uri: str, home: Home, prefix: str) -> str:
    """A server is opened by its address, a store with `orch ui`."""
    if is_server(uri):
        return redact(uri)
    known = without_credentials(os.environ.get("MLFLOW_TRACKING_URI") or replace(home, tracking=None).tracking_uri)
    option = "" if uri == known else f" --tracking-uri {shlex.quote(redact(uri))}"
    return f"{redact(uri)}: {prefix}orch ui{option}"


def _farewell(summary: SweepSummary, findings: SweepFindings, home: Home, options: RunOptions) -> None:
    console = Console(stderr=True, highlight=False)
    prefix = _prefix(home)
    sweep = summary.sweep
    console.print(Text(f"{sweep.name}: {summary.state.lower().replace('_', ' ')} ({sweep.reason})", style="bold"))
    counts = ", ".join(f"{count} {key}" for key, count in summary.counts.items() if count)
    console.print(
        f"  trials   {counts or 'none'}; {duration(sweep.wall_s)} wall, {duration(summary.train_s)} training",
        markup=False,
    )
    console.print(f"  costs    {summary.costs.words}", markup=False, soft_wrap=True)
    best = summary.best
    if best is not None:
        line = f"{sweep.spec.objective.metric} {number(best.value)}, trial {best.number}, epoch {best.best_step}"
        console.print(Text(f"  best     {line}", style="green"))
        console.print(f"           {params_text(best.params)}", markup=False, soft_wrap=True)
    else:
        console.print("  best     no trial has a value")
    _print_failures(console, summary)
    for line in illness_lines(findings):
        console.print(Text(f"  found    {line}", style="yellow"), soft_wrap=True)
    console.print(f"  look     {prefix}orch show {sweep.name}", markup=False, soft_wrap=True)
    if best is not None and sweep.confirms is None and (sweep.spec.confirm is None or summary.state != "COMPLETE"):
        console.print(f"  confirm  {prefix}orch confirm {sweep.name}", markup=False, soft_wrap=True)
    place = _mlflow_place(sweep.tracking_uri or home.tracking_uri, home, prefix)
    console.print(f"  MLflow   {place}", markup=False, soft_wrap=True)
    if summary.num_pending:
        text = f"  MLflow   {summary.num_pending} operations are not delivered yet: {prefix}orch sync {sweep.name}"
        console.print(Text(text, style="yellow"), soft_wrap=True)
    if summary.state != "COMPLETE" and summary.num_left:
        used_up = summary.used_up if summary.state == "BUDGET_ENDED" else {}
        command = _resume_command(sweep.name, options, used_up)
        console.print(Text(f"  resume   {prefix}{command}", style="bold"), soft_wrap=True)
    sys.stderr.flush()


def _print_failures(console: Console, summary: SweepSummary) -> None:
    from orchestrator import analysis

    for group in analysis.failure_groups(summary.trials):
        numbers = ", ".join(str(n) for n in group.numbers[:8]) + (", ..." if len(group.numbers) > 8 else "")
        console.print(Text(f"  failed   {len(group.numbers)} x {group.reason} (trials {numbers})", style="red"))
        detail = group.example.ending.detail if group.example.ending else {}
        if isinstance(text := detail.get("traceback"), str):
            lines = text.rstrip().splitlines()
            console.print("\n".join(f"           {line}" for line in lines[-6:]), markup=False, soft_wrap=True)
