"""`orch diagnose`: what is wrong with a run. Imports what its target needs, so that a CSV is read without torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import home_options, json_option
from orchestrator.errors import UsageError
from orchestrator.sweeps.paths import Home

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from orchestrator.analysis.trends import Trend
    from orchestrator.sweeps.diagnose import Diagnosis

_FILES = (".csv", ".tsv", ".txt", ".npz", ".safetensors")
"""What no sweep's name ends with."""
WIDE = 100
"""Columns of a terminal that has room for trends in words, and for what a metric is that nothing can be said of."""
_ARROWS: Mapping[str, str] = {"rising": "↑", "falling": "↓", "steady": "→", "unclear": "?"}
_STYLES: Mapping[str, str] = {"good": "green", "bad": "red", "flat": "yellow"}


@click.command()
@click.argument("target", required=False, metavar="[SWEEP | SWEEP/TRIAL | FILE.csv | FOLDER]")
@click.argument("trial", type=int, required=False)
@click.option("--explain", metavar="CHECK", help="Say what CHECK looks for, how, and what cures it.")
@json_option
@home_options
def diagnose(target: str | None, trial: int | None, explain: str | None, as_json: bool, home: Home) -> int:
    """What is wrong with a run: the course of each metric, whether it is good, then findings with their cures.

    A run is a TRIAL of a SWEEP, a CSV of metrics with a column of epochs, or a folder of saved epochs (epoch_003.npz
    or .safetensors with embeddings and labels). A SWEEP alone gives the illnesses of all its trials. What exists as a
    path is read as one. The exit code is 0 with findings or without, 2 for input that cannot be read.
    """
    if explain is not None:
        from orchestrator.sweeps.findings import explain as explain_check

        click.echo(explain_check(explain))
        return 0
    if target is None:
        raise UsageError("diagnose what? A SWEEP and a TRIAL, a FILE.csv, or a FOLDER of saved epochs")
    name, _, number = target.partition("/")
    if trial is None and number.isdigit() and not Path(target).exists():
        target, trial = name, int(number)
    if trial is None and (diagnosis := _of_path(Path(target))) is not None:
        _print(diagnosis, as_json=as_json)
        return 0
    return _of_sweep(target, trial, home, as_json=as_json)


def _of_path(path: Path) -> "Diagnosis | None":
    """A file or folder; None for what is neither, nor looks like one."""
    from orchestrator.sweeps.diagnose import diagnose_csv

    if path.is_dir():
        from orchestrator.sweeps.saved_epochs import diagnose_folder

        return diagnose_folder(path)
    if path.is_file():
        return diagnose_csv(path)
    if path.suffix in _FILES or len(path.parts) > 1:
        raise UsageError(f"{path}: there is no such file or folder, and a trial is SWEEP/NUMBER")
    return None


def _of_sweep(reference: str, trial: int | None, home: Home, *, as_json: bool) -> int:
    from orchestrator.cli.findings import print_illnesses
    from orchestrator.cli.output import out, print_json
    from orchestrator.sweeps import overview
    from orchestrator.sweeps.findings import sweep_findings

    summary = overview.overview(home, reference)
    if trial is not None:
        from orchestrator.sweeps.diagnose import diagnose_trial

        _print(diagnose_trial(summary.sweep, overview.whole_trial(home, summary, trial)), as_json=as_json)
        return 0
    findings = sweep_findings(summary.sweep, summary.trials)
    if as_json:
        print_json({"sweep": summary.sweep.name, **findings.to_json()})
    elif findings.illnesses:
        print_illnesses(out(), findings)
    else:
        click.echo(f"{summary.sweep.name}: nothing found in {len(findings.by_trial)} trials")
    return 0


def _print(diagnosis: "Diagnosis", *, as_json: bool) -> None:
    from rich.text import Text

    from orchestrator.cli.findings import print_findings
    from orchestrator.cli.output import number, out, print_indented, print_json

    if as_json:
        print_json(diagnosis.to_json())
        return
    console = out()
    console.print(Text(f"{diagnosis.title}: {diagnosis.num_epochs} measurements", style="bold"))
    for note in diagnosis.notes:
        print_indented(console, Text(note, style="dim"), by=2)
    _print_trends(console, diagnosis)
    if diagnosis.constants:
        equal = ", ".join(f"{name} {number(value)}" for name, value in diagnosis.constants.items())
        console.print(f"constant: {equal}", markup=False, style="dim")
    print_findings(console, diagnosis.findings)


def _print_trends(console: "Console", diagnosis: "Diagnosis") -> None:
    """What can be judged, then what is neither good nor bad; long names and figures leave little room for words."""
    wide = console.width >= WIDE
    judged = [course for course in diagnosis.trends if course.verdict != "none"]
    others = [course for course in diagnosis.trends if course.verdict == "none"]
    if judged:
        console.print(_judged(judged, wide=wide))
    if others:
        console.print(_others(others, wide=wide))


def _judged(courses: "Sequence[Trend]", *, wide: bool) -> "Table":
    from orchestrator.cli.output import number, table

    def short(value: float) -> str:
        return number(value) if wide else f"{value:.3g}"

    numeric = ("first", "best", "last")
    rows = table("metric", *numeric, "trend" if wide else "", "verdict", numeric=numeric)
    rows.columns[0].no_wrap = True
    for course in courses:
        step, best = course.best or course.last
        rows.add_row(
            course.metric,
            short(course.first[1]),
            f"{short(best)} @{step}" if wide else f"{short(best)}@{step}",
            short(course.last[1]),
            course.movement.value if wide else _ARROWS[course.movement],
            _verdict(course),
        )
    return rows


def _others(courses: "Sequence[Trend]", *, wide: bool) -> "Table":
    from orchestrator.cli.output import number, table

    numeric = ("first", "last")
    rows = table("neither good nor bad", *numeric, "trend", *(("meaning",) if wide else ()), numeric=numeric)
    for course in courses:
        cells = (course.metric, number(course.first[1]), number(course.last[1]), course.movement.value)
        rows.add_row(*cells, *((course.why,) if wide else ()))
    return rows


def _verdict(course: "Trend") -> "Text":
    """The verdict with its reason, and what the last value stands beside."""
    from rich.text import Text

    from orchestrator.cli.output import number

    text = Text(f"{course.verdict}: {course.why}", style=_STYLES[course.verdict])
    beside = ", ".join(f"{role} {number(value)}" for role, value in course.references.items())
    return text.append(f"; {beside}", style="dim") if beside else text
