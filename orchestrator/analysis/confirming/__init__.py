"""The statistics of a confirmation: what to train next, and what the values show. Pure functions over plain data."""

from orchestrator.analysis.confirming.cells import Candidate, Run
from orchestrator.analysis.confirming.comparing import Difference
from orchestrator.analysis.confirming.confirmation import Confirmation, Estimate, confirm
from orchestrator.analysis.confirming.drops import Drop
from orchestrator.analysis.confirming.elimination import finalists, next_run
from orchestrator.analysis.confirming.intervals import Interval
from orchestrator.analysis.confirming.verdict import Outcome, Verdict

__all__ = [
    "Candidate",
    "Confirmation",
    "Difference",
    "Drop",
    "Estimate",
    "Interval",
    "Outcome",
    "Run",
    "Verdict",
    "confirm",
    "finalists",
    "next_run",
]
