"""What MLflow has of a sweep, ordered by trial: the run that counts for each, and those that are too many. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.tracking.reading import RunView
from orchestrator.trial import TrialRecord


@dataclass(frozen=True, slots=True)
class Told:
    """The runs of one sweep.

    Attributes:
        runs: all that bear the sweep's id, oldest first.
    """

    runs: Sequence[RunView]

    def parents(self) -> list[RunView]:
        """The runs of the sweep itself; there must be one."""
        return [run for run in self.runs if _is_parent(run)]

    def parent(self, recorded: str | None) -> RunView | None:
        """The one that counts: that of the record, else the oldest."""
        return _chosen(self.parents(), recorded)

    def runs_of(self, number: int) -> list[RunView]:
        """The runs of a trial; there must be one."""
        return [run for run in self.runs if run.trial == number]

    def run_of(self, trial: TrialRecord) -> RunView | None:
        """The one that counts: that of the ledger, else the oldest."""
        return _chosen(self.runs_of(trial.number), trial.run_id)

    def strays(self, numbers: set[int]) -> list[RunView]:
        """Runs of no trial that there is."""
        return [run for run in self.runs if not _is_parent(run) and run.trial not in numbers]


def _is_parent(run: RunView) -> bool:
    return run.trial is None and run.tags.get("orch.kind") == "sweep"


def _chosen(runs: Sequence[RunView], recorded: str | None) -> RunView | None:
    return next((run for run in runs if run.run_id == recorded), runs[0] if runs else None)
