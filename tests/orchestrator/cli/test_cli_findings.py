"""How findings look: of one run, and as the table of a sweep's illnesses."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.analysis.diagnosis import Excess, Region
from orchestrator.cli.findings import illness_lines, print_findings, print_illnesses
from orchestrator.sweeps.findings import Illness, Since, SweepFindings
from trainables.health import Finding, Severity

FINDING = Finding(
    "point_collapse", Severity.ILL, 7, {"val/resultant_length": 0.99912}, "All look [bold]one[/bold] way.", "Lower lr."
)
SURE = Excess(Region("optimizer.lr", low=0.0123), 7, 8, 0, 12, p_value=0.0004, num_looks=90)
PERHAPS = Excess(Region("kind", choice="b"), 2, 4, 1, 16, p_value=0.3, num_looks=90)
SWEEP = SweepFindings(
    {n: (FINDING,) if n < 7 else () for n in range(20)},
    [
        Illness("loss_squeezed", Severity.ILL, range(7), SURE),
        Illness("auxiliary_dominates", Severity.WARNING, (1, 2, 3), PERHAPS),
        Illness("overfitting", Severity.NOTE, (4,), None),
    ],
    ("optimizer.lr", "kind"),
)


def printed(show, what, *, width=80, terminal=False):
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=terminal, color_system=None)
    show(console, what)
    return console.file.getvalue()


def test_a_finding_has_severity_since_evidence_meaning_and_cure():
    lines = printed(print_findings, [Since(FINDING, 3)]).splitlines()

    assert [line.rstrip() for line in lines] == [
        "findings",
        "  ill     point_collapse  since epoch 3",
        "          val/resultant_length 0.9991",
        "          All look [bold]one[/bold] way.",
        "          cure: Lower lr.",
    ]


def test_a_region_is_named_so_that_no_other_parameter_is_meant():
    both = replace(SWEEP, parameters=("optimizer.lr", "head.lr", "kind"))
    assert "optimizer.lr >= 0.0123" in printed(print_illnesses, both)


def test_no_finding_is_said_so():
    assert printed(print_findings, []) == "findings: none\n"


def test_each_illness_has_a_line_with_its_region():
    head, *rows = printed(print_illnesses, SWEEP).splitlines()

    assert re.split(r"  +", head.strip()) == ["finding", "trials", "more often where", "p"]
    assert re.split(r"  +", rows[0].strip()) == [
        "loss_squeezed", "ill", "7 of 20", "lr >= 0.0123: 7/8, elsewhere 0/12", "0.0004"
    ]  # fmt: skip
    assert "kind = b: 2/4, elsewhere 1/16" in rows[1]
    assert rows[2].split() == ["overfitting", "note", "1", "of", "20"]
    assert len(rows) == 3


def test_a_healthy_sweep_prints_nothing():
    assert printed(print_illnesses, SweepFindings({0: ()}, [], ())) == ""


def test_lines_name_a_region_only_when_chance_is_ruled_out():
    assert list(illness_lines(SWEEP)) == [
        "loss_squeezed (ill) in 7 of 20 trials, most where lr >= 0.0123",
        "auxiliary_dominates (warning) in 3 of 20 trials",
        "overfitting (note) in 1 of 20 trials",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(width):
    long = replace(FINDING, meaning="A sentence that takes more than one line. " * 5)
    text = printed(print_findings, [Since(long, 3)], width=width, terminal=True)
    text += printed(print_illnesses, SWEEP, width=width, terminal=True)

    assert max(map(len, text.splitlines())) <= width


def test_in_a_pipe_a_paragraph_is_one_line():
    long = replace(FINDING, meaning="A sentence that takes more than one line. " * 5)

    assert len(printed(print_findings, [Since(long, 3)]).splitlines()) == 5
