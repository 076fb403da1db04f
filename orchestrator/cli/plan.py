"""`orch plan`: what a sweep would do and cost; nothing is written."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from orchestrator.cli.options import RunOptions, file_argument, home_options, json_option, set_option, target_options
from orchestrator.cli.output import duration, number, only_json, out, params_text, print_json
from orchestrator.errors import ExitCode
from orchestrator.sweeps.paths import Home

if TYPE_CHECKING:
    from orchestrator.spec import SweepSpec
    from orchestrator.sweeps.lint.question import Facts
    from orchestrator.sweeps.plan import Plan
    from orchestrator.sweeps.planning.buying import Purchase
    from orchestrator.sweeps.planning.confirming import ConfirmationCost
    from orchestrator.sweeps.planning.forecast import Forecast, Interval

GIB = 2**30
BUSY = 0.5
"""Others keep half of the machine's cores busy."""


@click.command()
@file_argument
@set_option
@click.option("--budget", metavar="BUDGET", help="Say what this buys: 2h, gpu_hours=1 or epochs=100.")
@click.option(
    "--probe/--no-probe", default=True, help="Measure a few short trials when no earlier sweep tells the pace."
)
@json_option
@target_options
@home_options
def plan(
    file: Path,
    overrides: tuple[str, ...],
    budget: str | None,
    probe: bool,
    as_json: bool,
    options: RunOptions,
    home: Home,
) -> int:
    """Show what the sweep in FILE would do and cost: trials, epochs, hours, memory, disk."""
    from orchestrator.cli.advice import judged, warn
    from orchestrator.sweeps.checks import check_file
    from orchestrator.sweeps.plan import Asked, Target
    from orchestrator.sweeps.plan import plan as make_plan
    from orchestrator.sweeps.planning.buying import read_budget

    directory = Path.cwd()
    asked = Asked(directory, probe, None if budget is None else read_budget(budget))
    target = Target(options.build_runner, options.runner == "local", options.address)
    with only_json(as_json):
        checked = check_file(file, overrides=overrides, directory=directory)
        if not as_json:
            warn(judged(checked, home), file, quiet=True)  # an error costs no probe
        made = make_plan(checked, home, target, asked)
    report = judged(checked, home, facts=_facts(checked.spec, made, home))
    if as_json:
        print_json(made.to_json() | {"lint": report.to_json()})
        return ExitCode.USAGE if report.is_refused else ExitCode.DONE
    warn(report, file)
    _print(out(), made, checked.spec)
    return ExitCode.DONE


def _facts(spec: "SweepSpec", made: "Plan", home: Home) -> "Facts":
    """What lint is told: measured where it was."""
    from orchestrator.sweeps.lint.facts import facts_here
    from orchestrator.sweeps.lint.measured import at_pace

    facts = facts_here(spec, home)
    if made.pace is None:
        return replace(facts, concurrency=made.max_concurrent)
    return at_pace(facts, made.pace, spec, concurrency=made.max_concurrent)


def _print(console: Console, made: "Plan", spec: "SweepSpec") -> None:

    rows = [
        ("trials", f"{made.trials} of {spec.trainable}, sampler {spec.sampler.type}, pruner {spec.pruner.type}"),
        ("concurrency", _concurrency(made)),
        *_pace(made),
        *_costs(made, spec),
    ]
    if made.purchase is not None:
        rows += _purchase(made, made.purchase, spec)
    if made.confirmation is not None:
        rows.append(("confirm", _confirmation(made, made.confirmation)))
    if made.disk is not None:
        short = (
            "; free some, or give another --home or --storage" if made.disk.needed_bytes > made.disk.free_bytes else ""
        )
        needed, free = made.disk.needed_bytes / GIB, made.disk.free_bytes / GIB
        rows.append(("disk", f"checkpoints need at most {needed:.2g} GiB of {free:.3g} GiB free{short}"))
    rows += list(made.places.items())
    for name, text in rows:
        console.print(f"{name:<12} {text}", markup=False, soft_wrap=True)
    console.print("first configurations")
    for position, params in enumerate(made.configurations):
        console.print(f"  {position}  {params_text(params)}", markup=False, soft_wrap=True)


def _concurrency(made: "Plan") -> str:
    limit = made.concurrency
    text = f"{limit.trials} at a time"
    if limit.by_memory is not None and limit.is_too_much:
        return f"{text}, but memory holds {limit.by_memory}: set resources.max_concurrent={max(1, limit.by_memory)}"
    return text if limit.by_memory is None else f"{text}, memory would hold {limit.by_memory}"


def _pace(made: "Plan") -> list[tuple[str, str]]:
    pace = made.pace
    if pace is None:
        why = f"the probe failed: {made.failure}" if made.failure else "no earlier sweep like this one, and no probe"
        return [("pace", f"not known: {why}")]
    rows = [("pace", f"{pace.start_s:.2g} s to start, {pace.epoch_s:.2g} s an epoch ({pace.source})")]
    if pace.corners is not None:
        cheap, dear = (corner.epoch_s for corner in pace.corners)
        rows.append(("", f"{cheap:.2g} s an epoch at the cheapest corner of the space, {dear:.2g} s at the dearest"))
    between = pace.between
    startup = "" if pace.startup_s is None else f"{duration(pace.startup_s)} for the runner, "
    each = f"{between.warm_s:.2g} s for a worker, {between.turn_s:.2g} s a trial, {between.step_s:.2g} s an epoch"
    rows.append(("overhead", startup + each))
    if pace.host_bytes:
        gpu = f", {pace.gpu_bytes / GIB:.2g} GiB of its GPU" if pace.gpu_bytes else ""
        rows.append(("memory", f"at most {pace.host_bytes / GIB:.2g} GiB a worker{gpu}"))
    if made.failure:
        rows.append(("failures", f"trials of the probe failed: {made.failure}"))
    return rows


def _costs(made: "Plan", spec: "SweepSpec") -> list[tuple[str, str]]:
    from orchestrator.analysis.budgets import UNITS, limits

    each = "" if made.epochs is None else f"up to {made.epochs} each; {made.lengths}"
    if made.forecast is None:
        unknown = "the config has no `epochs`, and no earlier sweep tells how long a trial is"
        return [("epochs", each or unknown)]
    rows = [("epochs", f"{_interval(made.forecast.epochs)} in all, {each}"), *_hours(made, made.forecast)]
    limited = limits(spec.budget)
    if limited:
        text = " and ".join(f"{value:g} {UNITS[limit]}" for limit, value in limited.items())
        trials = _interval(made.forecast.trials)
        rows.append(
            (
                "budget",
                f"{text}: {trials} of {made.trials} trials end, all of them in {made.forecast.whole:.0%} of cases",
            )
        )
    wider = "; wider, since others use this machine too" if made.shared >= BUSY else ""
    rows.append(("intervals", f"9 of 10 sweeps are expected to end inside{wider}"))
    return rows


def _hours(made: "Plan", forecast: "Forecast") -> list[tuple[str, str]]:
    unit = "GPU-hours" if made.concurrency.on_gpu else "core-hours"
    return [("time", _durations(forecast.hours)), (unit, _interval(forecast.device_hours, count=False))]


def _purchase(made: "Plan", bought: "Purchase", spec: "SweepSpec") -> list[tuple[str, str]]:
    forecast = bought.forecast
    share = f"{min(bought.share, 1):.0%} of the sweep"
    amount = f"{_interval(forecast.trials)} trials, {_interval(forecast.epochs)} epochs, {share}"
    rows = [("--budget", f"{_bought(bought)} buys {amount}")]
    if bought.buys_all:
        return [*rows, ("", "the whole sweep fits")]
    change = [f"--set budget.trials={bought.fits} fits into it"] if bought.fits else ["not one trial is sure to end"]
    if spec.pruner.type == "none" and (made.epochs or 0) > 2:
        change.append("a pruner (asha) would end most trials early")
    if made.whole is not None and made.whole.trials.mid:
        need = {
            "wall_hours": made.whole.hours.high,
            "gpu_hours": made.whole.device_hours.high,
            "epochs": made.whole.epochs.high,
        }
        all_of_it = ", ".join(f"{limit}={number(need[limit.value])}" for limit in bought.limits)
        change.append(f"the whole sweep needs up to {all_of_it}")
    return [*rows, ("", "; ".join(change))]


def _bought(bought: "Purchase") -> str:
    from orchestrator.analysis.budgets import SECONDS_PER_HOUR, UNITS, Limit

    return " and ".join(
        duration(value * SECONDS_PER_HOUR) if limit is Limit.WALL_HOURS else f"{value:g} {UNITS[limit]}"
        for limit, value in bought.limits.items()
    )


def _confirmation(made: "Plan", cost: "ConfirmationCost") -> str:
    low, high = cost.trainings
    text = f"{low} to {high} trainings in full after the search"
    if cost.hours is None or cost.device_hours is None:
        return text
    unit = "GPU-hours" if made.concurrency.on_gpu else "core-hours"
    times = " to ".join(duration(3600 * hours) for hours in cost.hours)
    return f"{text}, {times}, {cost.device_hours[0]:.2g} to {cost.device_hours[1]:.2g} {unit}"


def _interval(interval: "Interval", *, count: bool = True) -> str:
    """The middle and the ends; counts are whole."""
    low, mid, high = (
        f"{value:.0f}" if count else f"{value:.3g}" for value in (interval.low, interval.mid, interval.high)
    )
    return mid if low == high else f"about {mid} ({low} to {high})"


def _durations(interval: "Interval") -> str:
    low, mid, high = (duration(3600 * hours) for hours in (interval.low, interval.mid, interval.high))
    return f"about {mid} ({low} to {high})"
