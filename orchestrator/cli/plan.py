"""`orch plan`: what a sweep would do and cost; nothing is written."""

from dataclasses import replace
from pathlib import Path

import click

from orchestrator.cli.options import file_argument, home_options, json_option, set_option
from orchestrator.errors import ExitCode
from orchestrator.sweeps.paths import Home


@click.command()
@file_argument
@set_option
@click.option("--probe/--no-probe", default=True, help="Measure one epoch when no earlier sweep tells the pace.")
@json_option
@home_options
def plan(file: Path, overrides: tuple[str, ...], probe: bool, as_json: bool, home: Home) -> int:
    """Show what the sweep in FILE would do: trials, first configurations, concurrency, places, time."""
    from orchestrator.cli.advice import judged, warn
    from orchestrator.cli.output import duration, only_json, out, params_text, print_json
    from orchestrator.sweeps.checks import check_file
    from orchestrator.sweeps.lint.facts import facts_here
    from orchestrator.sweeps.plan import plan as make_plan
    from orchestrator.tracking import redact

    directory = Path.cwd()
    with only_json(as_json):
        checked = check_file(file, overrides=overrides, directory=directory)
        made = make_plan(checked, home, directory=directory, probe=probe)
    facts = replace(facts_here(checked.spec, home), concurrency=made.max_concurrent)
    if made.pace is not None:
        pace = made.pace
        facts = replace(facts, start_s=pace.start_s, epoch_s=pace.epoch_s, pace_source=pace.source)
    report = judged(checked, home, facts=facts)
    if as_json:
        print_json(made.to_json() | {"lint": report.to_json()})
        return ExitCode.USAGE if report.is_refused else ExitCode.DONE
    warn(report, file)
    console = out()
    spec = checked.spec
    rows = [
        ("trials", f"{made.trials} of {spec.trainable}, sampler {spec.sampler.type}, pruner {spec.pruner.type}"),
        ("concurrency", f"{made.max_concurrent} at a time on this machine"),
    ]
    if made.expected_epochs is not None:
        after = "" if spec.pruner.type == "none" else " after pruning"
        rows.append(("epochs", f"up to {made.epochs} each, about {made.expected_epochs:.0f} in all{after}"))
    if made.pace is not None:
        pace = f"{made.pace.start_s:.2g} s to start, {made.pace.epoch_s:.2g} s an epoch ({made.pace.source})"
        rows += [("pace", pace), ("time", f"about {duration(made.estimated_s)}")]
    else:
        rows.append(("time", "not known: no earlier sweep like this one, and no probe"))
    if spec.budget.wall_hours:
        rows.append(("budget", f"at most {spec.budget.wall_hours:g} wall hours"))
    rows += [(name, redact(place)) for name, place in made.places.items()]
    for name, text in rows:
        console.print(f"{name:<12} {text}", markup=False, soft_wrap=True)
    console.print("first configurations")
    for number, params in enumerate(made.configurations):
        console.print(f"  {number}  {params_text(params)}", markup=False, soft_wrap=True)
    return 0
