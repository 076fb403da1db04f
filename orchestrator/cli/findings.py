"""Findings on the terminal: of one run, and the illnesses of a sweep with the regions that make them."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from orchestrator.analysis.diagnosis import Excess
from orchestrator.cli.output import print_indented, short_names, table
from orchestrator.execution.doctor import evidence_text
from orchestrator.sweeps.findings import Since, SweepFindings

STYLES: Mapping[str, str] = {"ill": "red", "warning": "yellow", "note": "dim"}


def print_findings(console: Console, findings: Sequence[Since]) -> None:
    """Each finding with its evidence, meaning and cure."""
    if not findings:
        console.print("findings: none", style="green")
        return
    console.print(Text("findings", style="bold"))
    for since in findings:
        finding = since.finding
        style = STYLES[finding.severity]
        severity = (f"{finding.severity:<7} ", style)
        head = Text.assemble(severity, (finding.check, f"bold {style}"), f"  since epoch {since.step}")
        print_indented(console, head, by=2)
        for text in (evidence_text(finding), finding.meaning, Text.assemble(("cure: ", "bold"), finding.cure)):
            print_indented(console, Text(text) if isinstance(text, str) else text, by=10)


def print_illnesses(console: Console, findings: SweepFindings) -> None:
    """The table of illnesses; nothing for a healthy sweep."""
    if not findings.illnesses:
        return
    rows = table("finding", "", "trials", "more often where", "p", numeric=("trials", "p"))
    for column in (0, 1, 2, 4):
        rows.columns[column].no_wrap = True
    names = short_names(findings.parameters)
    for illness in findings.illnesses:
        style = STYLES[illness.severity]
        excess = illness.excess
        rows.add_row(
            Text(illness.check, style=style),
            Text(illness.severity.value, style=style),
            f"{len(illness.trials)} of {len(findings.by_trial)}",
            _where(excess, names) if excess else "",
            f"{excess.p_value:.2g}" if excess else "",
        )
    console.print(rows)


def illness_lines(findings: SweepFindings) -> Iterator[str]:
    """A line for each illness, such as `point_collapse in 3 of 20 trials, most where lr >= 0.1`."""
    names = short_names(findings.parameters)
    for illness in findings.illnesses:
        most = f", most where {_region(illness.excess, names)}" if illness.excess and illness.excess.is_sure else ""
        yield f"{illness.check} ({illness.severity}) in {len(illness.trials)} of {len(findings.by_trial)} trials{most}"


def _region(excess: Excess, names: Mapping[str, str]) -> str:
    return str(excess.region).replace(excess.region.parameter, names[excess.region.parameter], 1)


def _where(excess: Excess, names: Mapping[str, str]) -> Text:
    """What may well be chance is dim."""
    there = f"{excess.num_ill}/{excess.num_inside}"
    elsewhere = f"{excess.num_ill_outside}/{excess.num_outside}"
    text = f"{_region(excess, names)}: {there}, elsewhere {elsewhere}"
    return Text(text, style="" if excess.is_sure else "dim")
