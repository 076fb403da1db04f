"""What trial records say: rankings, counts, comparisons. Pure functions; nothing here reads a file or a clock."""

from orchestrator.analysis.compare import Comparison, compare
from orchestrator.analysis.leaderboard import (
    FailureGroup,
    Row,
    best,
    counts,
    current,
    failure_groups,
    leaderboard,
    ranked,
)
from orchestrator.analysis.pareto import candidates, front
from orchestrator.analysis.table import to_csv, to_html

__all__ = [
    "Comparison",
    "FailureGroup",
    "Row",
    "best",
    "candidates",
    "compare",
    "counts",
    "current",
    "failure_groups",
    "front",
    "leaderboard",
    "ranked",
    "to_csv",
    "to_html",
]
