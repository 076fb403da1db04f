"""`orch ls`, `status`, `show`, `best` and `compare`: what the ledger says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from orchestrator import analysis
from orchestrator.analysis.compare import Comparison, split_params
from orchestrator.analysis.lineage import lineage
from orchestrator.cli.confirmation import confirmation_rows, found_json, print_report
from orchestrator.cli.decisions import decision_words
from orchestrator.cli.importance import importance_json, print_importance
from orchestrator.cli.options import home_options, json_option
from orchestrator.cli.output import (
    MAX_EPOCH_COLUMNS,
    continued_lines,
    duration,
    number,
    out,
    params_text,
    print_json,
    short_names,
    spread,
    table,
)
from orchestrator.errors import UsageError
from orchestrator.study.importance import Importance
from orchestrator.sweeps import overview
from orchestrator.sweeps.confirming.find import find
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary, trial_to_json
from orchestrator.trial import JsonValue, TrialRecord

if TYPE_CHECKING:  # findings need NumPy, which most commands here do not
    from orchestrator.sweeps.findings import SweepFindings

_sweep_argument = click.argument("reference", metavar="SWEEP")


@click.command()
@json_option
@home_options
def ls(as_json: bool, home: Home) -> int:
    """List sweeps, oldest first."""
    summaries = overview.list_sweeps(home)
    if as_json:
        print_json([{k: v for k, v in s.to_json().items() if k != "trials"} for s in summaries])
        return 0
    if not summaries:
        click.echo(f"no sweeps in {home.root}")
        return 0
    rows = table("sweep", "id", "state", "trials", "best", "wall", "started", "", numeric=("trials", "best", "wall"))
    for summary in summaries:
        best, counts = summary.best, summary.counts
        ended = sum(counts[bucket] for bucket in ("complete", "pruned", "stopped", "failed"))
        rows.add_row(
            summary.sweep.name,
            summary.sweep.id,
            summary.state,
            f"{ended}/{summary.sweep.spec.budget.trials}",
            number(best.value if best else None),
            duration(summary.sweep.wall_s),
            datetime.fromtimestamp(summary.sweep.created_ms / 1000).strftime("%Y-%m-%d %H:%M"),
            "" if summary.sweep.confirms is None else f"confirms {summary.sweep.confirms}",
        )
    out().print(rows)
    return 0


@click.command()
@_sweep_argument
@json_option
@home_options
def status(reference: str, as_json: bool, home: Home) -> int:
    """How SWEEP stands, in a few lines."""
    from orchestrator.cli.findings import illness_lines
    from orchestrator.sweeps.findings import sweep_findings

    summary = overview.overview(home, reference)
    findings = sweep_findings(summary.sweep, summary.trials)
    confirmed = find(home, reference)
    if as_json:
        shown = {k: v for k, v in summary.to_json().items() if k != "trials"}
        print_json(shown | findings.to_json() | found_json(confirmed))
        return 0
    console = out()
    _head(console, summary)
    _print_rows(console, confirmation_rows(confirmed))
    for line in illness_lines(findings):
        console.print(f"  {'found':<10} {line}", markup=False, soft_wrap=True)
    return 0


@click.command()
@_sweep_argument
@click.argument("trial", type=int, required=False)
@click.option("--top", type=click.IntRange(1), default=100, show_default=True, help="Best trials in the table.")
@json_option
@home_options
def show(reference: str, trial: int | None, top: int, as_json: bool, home: Home) -> int:
    """SWEEP with its trials, best first, and their findings; or one TRIAL with its measurements and decisions."""
    from orchestrator.cli.findings import print_findings, print_illnesses
    from orchestrator.sweeps.findings import sweep_findings, trial_findings

    summary = overview.overview(home, reference)
    if trial is not None:
        record = overview.whole_trial(home, summary, trial)
        checkpoints = home.sweep(summary.sweep.id).checkpoints_of(record)
        found = trial_findings(summary.sweep, record)
        if as_json:
            in_json: list[JsonValue] = [since.to_json() for since in found]
            print_json(trial_to_json(record, checkpoints=checkpoints) | {"findings": in_json})
        else:
            _show_trial(out(), summary, record, checkpoints)
            _print_curve(out(), record)
            print_findings(out(), found)
        return 0
    findings = sweep_findings(summary.sweep, summary.trials)
    confirmed = find(home, reference)
    important = _importance(home, summary)
    if as_json:
        print_json(summary.to_json() | findings.to_json() | found_json(confirmed) | importance_json(important))
        return 0
    console = out()
    _head(console, summary)
    if summary.sweep.confirms is not None and confirmed.report is not None:
        print_report(console, confirmed.report)
    else:
        _print_rows(console, confirmation_rows(confirmed, summary.best.number if summary.best else None))
    _print_trials(console, summary, findings, top=top)
    for group in analysis.failure_groups(summary.trials):
        numbers = ", ".join(map(str, group.numbers))
        console.print(Text(f"failed: {len(group.numbers)} x {group.reason} (trials {numbers})", style="red"))
    print_illnesses(console, findings)
    print_importance(console, important)
    return 0


@click.command()
@_sweep_argument
@json_option
@home_options
def best(reference: str, as_json: bool, home: Home) -> int:
    """The best trial of SWEEP, with its parameters and its checkpoint."""
    summary = overview.overview(home, reference)
    if summary.best is None:
        has_floors = any(trial.violated for trial in summary.trials)
        which = "that keeps its floors" if has_floors else "with a value yet"
        raise UsageError(f"sweep {summary.sweep.name} has no trial {which}")
    record = overview.whole_trial(home, summary, summary.best.number)
    checkpoints = home.sweep(summary.sweep.id).checkpoints_of(record)
    confirmed = find(home, reference)
    if as_json:
        print_json(trial_to_json(record, checkpoints=checkpoints) | found_json(confirmed))
        return 0
    _show_trial(out(), summary, record, checkpoints)
    _print_rows(out(), confirmation_rows(confirmed, record.number))
    return 0


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="SWEEP[/TRIAL]...")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="Best trials of each sweep.")
@json_option
@home_options
def compare(references: tuple[str, ...], top: int, as_json: bool, home: Home) -> int:
    """Sweeps (their best trials) or single trials side by side; what differs comes first."""
    compared = overview.compare(home, references, top=top).comparison
    if as_json:
        print_json(_comparison_json(compared))
        return 0
    labels = [column.label for column in compared.columns]
    rows = table("", *labels, numeric=tuple(labels))
    rows.add_row("best value", *(number(column.value) for column in compared.columns), style="green")
    rows.add_row("best epoch", *(_text(column.best_step) for column in compared.columns))
    rows.add_row("state", *(column.state.value for column in compared.columns))
    rows.add_row("epochs", *(str(column.epochs) for column in compared.columns))
    rows.add_row("training", *(duration(column.train_s) for column in compared.columns))
    for name, values in compared.differing.items():
        rows.add_row(name, *(_text(value) for value in values))
    console = out()
    console.print(rows)
    if compared.constant:
        console.print(f"equal in all: {params_text(compared.constant)}", markup=False, soft_wrap=True)
    return 0


def _comparison_json(compared: Comparison) -> JsonValue:
    columns: list[JsonValue] = [
        {
            "trial": column.label,
            "state": column.state.value,
            "value": column.value,
            "best_epoch": column.best_step,
            "epochs": column.epochs,
            "train_s": column.train_s,
        }
        for column in compared.columns
    ]
    differing: dict[str, JsonValue] = {name: list(values) for name, values in compared.differing.items()}
    return {"trials": columns, "differing": differing, "equal": dict(compared.constant)}


def _text(value: object) -> str:
    return number(value) if isinstance(value, float) else "-" if value is None else str(value)


def _importance(home: Home, summary: SweepSummary) -> Importance | None:
    """As the driver has stored it; of a sweep that has gone on since, or did not come to an end, it is found now."""
    stored = overview.stored_importance(home, summary)
    if stored is not None:
        return stored.found
    from orchestrator.sweeps.read import importance_of  # Optuna and scikit-learn: seconds

    return importance_of(home, summary.sweep.name)


def _head(console: Console, summary: SweepSummary) -> None:
    sweep = summary.sweep
    console.print(Text(f"{sweep.name} ({sweep.id}): {summary.state.lower().replace('_', ' ')}", style="bold"))
    rows = [("why", sweep.reason), ("driven by", summary.driver or "")]
    counts = ", ".join(f"{count} {key}" for key, count in summary.counts.items() if count)
    rows.append(("trials", f"{counts or 'none'} of {sweep.spec.budget.trials}"))
    if sweep.continued is not None:
        rows.append(("history", "; ".join(continued_lines(sweep.continued))))
    rows.append(("time", f"{duration(sweep.wall_s)} wall, {duration(summary.train_s)} training"))
    rows.append(("costs", summary.costs.words))
    best = summary.best
    if best is not None:
        metric = sweep.spec.objective.metric
        rows.append(("best", f"{metric} {number(best.value)}, trial {best.number}, epoch {best.best_step}"))
    if (volume := summary.volume) is not None:
        numbers = ", ".join(str(trial.number) for trial in summary.front)
        reference = ", ".join(f"{name} {number(value)}" for name, value in volume.reference.items())
        rows.append(("front", f"trials: {numbers}; hypervolume {number(volume.final)} beyond {reference}"))
    _print_rows(console, [(name, text) for name, text in rows if text])


def _print_rows(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    for name, text in rows:
        console.print(f"  {name:<10} {text}", markup=False, soft_wrap=True)


def _print_trials(console: Console, summary: SweepSummary, findings: "SweepFindings", *, top: int) -> None:
    differing, constant = split_params([trial.params for trial in summary.trials])
    names = short_names(differing)
    spec = summary.sweep.spec
    further = [objective.metric for objective in spec.further_objectives]
    numeric = ("rank", "trial", "value", *further, "epoch", "of", "training", "ill")
    front = ("front",) if further else ()
    heads = ("rank", "trial", "ended", "value", *further, *front, "epoch", "of", "training", "ill", "parameters")
    rows = table(*heads, numeric=numeric)
    board = analysis.leaderboard(summary.trials, spec.objective, further=spec.further_objectives)
    for row in board[:top]:
        params = {names[name]: row.params[name] for name in differing if name in row.params}
        rows.add_row(
            _text(row.rank),
            str(row.number),
            ", ".join([row.reason or row.state.value.lower(), *(f"below floor {name}" for name in row.violated)]),
            number(row.value) if row.num_trials == 1 else f"{number(row.value)} (mean of seeds {number(row.mean)})",
            *(number(row.further.get(name)) for name in further),
            *("yes" if row.on_front else "" for _ in front),
            _text(row.best_step),
            str(row.epochs),
            duration(row.train_s),
            Text(str(findings.num_grave(row.number) or ""), style="yellow"),
            Text(params_text(params), no_wrap=True, overflow="ellipsis"),
        )
    console.print(rows)
    if len(board) > top:
        console.print(f"these are the first {top} of {len(board)} trials; more: --top {len(board)}; all: --json")
    if constant:
        console.print(f"equal in all: {params_text(constant)}", markup=False, soft_wrap=True)


def _show_trial(console: Console, summary: SweepSummary, trial: TrialRecord, checkpoints: Mapping[str, Path]) -> None:
    metric = summary.sweep.spec.objective.metric
    reason = f" ({trial.ending.reason})" if trial.ending else ""
    console.print(Text(f"{summary.sweep.name} trial {trial.number}: {trial.state.value}{reason}", style="bold"))
    console.print(f"  {metric} {number(trial.value)} at epoch {_text(trial.best_step)} of {trial.epochs}", markup=False)
    for name, measured in trial.values.items():
        if name != metric:
            console.print(f"  {name} {number(measured)} at that epoch", markup=False)
    for name, below in trial.violated.items():
        console.print(f"  {name} is {number(below)} below its floor: infeasible", markup=False, style="yellow")
    for name, value in trial.params.items():
        console.print(f"  {name:<32} {_text(value)}", markup=False)
    console.print(f"  {'seeds':<32} {', '.join(map(str, trial.seeds))}{_kinship(summary, trial)}", markup=False)
    stretches = lineage(summary.trials, trial.number)
    for stretch in stretches[:-1]:
        console.print(
            f"  epochs {stretch.first}-{stretch.last} by trial {stretch.trial}: {params_text(stretch.params)}"
        )
    for kind, path in checkpoints.items():
        console.print(f"  {kind + ' checkpoint':<32} {path}", markup=False, soft_wrap=True)
    if trial.run_id:
        console.print(f"  {'MLflow run':<32} {trial.run_id}", markup=False)
    happened = [
        *map(str, trial.lost_attempts),
        *trial.notes,
        *(f"decision: {decision_words(one)}" for one in trial.decisions),
    ]
    for line in happened:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    if trial.ending and isinstance(text := trial.ending.detail.get("traceback"), str):
        console.print(text, markup=False, style="red", soft_wrap=True)


def _kinship(summary: SweepSummary, trial: TrialRecord) -> str:
    """The trials that a trial repeats or extends, and those that repeat or extend it."""
    parts = [] if trial.replicate_of is None else [f"repeats trial {trial.replicate_of}"]
    parts += [] if trial.extends is None else [f"extends trial {trial.extends}"]
    repeated = [str(other.number) for other in summary.trials if other.replicate_of == trial.number]
    parts += [f"repeated by {', '.join(repeated)}"] if repeated else []
    parts += [f"extended by {other.number}" for other in summary.trials if other.extends == trial.number]
    return f" ({'; '.join(parts)})" if parts else ""


def _print_curve(console: Console, trial: TrialRecord) -> None:
    """Metrics as rows, epochs as columns; the untrained model is epoch 0."""
    names = sorted({name for m in trial.measurements for name in m.metrics})
    shown = spread(trial.measurements, MAX_EPOCH_COLUMNS) if console.is_terminal else trial.measurements
    epochs = tuple(str(m.step) for m in shown)
    rows = table("metric at epoch", *epochs, numeric=epochs)
    for name in names:
        rows.add_row(name, *(number(m.metrics.get(name)) for m in shown))
    console.print(rows)
