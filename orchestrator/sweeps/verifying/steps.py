"""What a repair would do, as data: read off the evidence, in the order in which it is done. Pure.

The ledger comes first, for MLflow is told from it; nothing in it that was proposed or measured is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.study import SweepState
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.told import Told
from orchestrator.tracking.reading import RunView
from orchestrator.trial import TrialState


@dataclass(frozen=True, slots=True)
class Steps:
    """All that is to be done.

    Attributes:
        endings: trials whose stored ending Optuna does not know.
        pauses: trials that are marked as running though nobody runs them.
        reopen: whether the sweep is complete in name only; it is then paused, so that a resume goes on.
        remove: damaged checkpoints and what is left over.
        claim: whose claim goes, in words; whoever drives the sweep for the repair replaces it.
        delete_runs: runs of no trial, or that are too many.
        parents: runs that stand below another one, to where they belong.
        tell: whether MLflow is to be told everything again.
    """

    endings: Sequence[int] = ()
    pauses: Sequence[int] = ()
    reopen: bool = False
    remove: Sequence[Path] = ()
    claim: str = ""
    delete_runs: Sequence[RunView] = ()
    parents: Mapping[str, str] = field(default_factory=dict)
    tell: bool = False

    def words(self) -> list[str]:
        """One line each."""
        return [
            *(f"tell the sampler the stored ending of trial {number}" for number in self.endings),
            *(f"mark trial {number} as paused: nobody runs it" for number in self.pauses),
            *(["mark the sweep as paused: trials of it are open"] if self.reopen else []),
            *(f"remove {path}" for path in self.remove),
            *([f"remove the claim of {self.claim}"] if self.claim else []),
            *(f"delete MLflow's run {run.run_id} {_whose(run)}: one too many" for run in self.delete_runs),
            *(f"put MLflow's run {run} below the sweep's" for run in self.parents),
            *(["tell MLflow everything again, and note its runs in the ledger"] if self.tell else []),
        ]


def plan_steps(evidence: Evidence, *, mlflow_differs: bool) -> Steps:
    """What mends a sweep that nobody drives; `mlflow_differs` says that a check found something missing there."""
    endings = [trial.number for trial in evidence.trials if trial.ending and not trial.state.is_terminal]
    untold = [trial for trial in evidence.trials if not trial.ending and not trial.state.is_terminal]
    pauses = [trial.number for trial in untold if trial.state is TrialState.RUNNING and evidence.has_ended]
    reopen = bool(untold) and evidence.record.state is SweepState.COMPLETE
    delete: list[RunView] = []
    parents: dict[str, str] = {}
    if isinstance(evidence.told, Told):
        delete = _surplus(evidence, evidence.told)
        parents = _misplaced(evidence, evidence.told)
    ledger_changes = bool(endings or pauses or reopen)
    return Steps(
        endings=endings,
        pauses=pauses,
        reopen=reopen,
        claim="" if evidence.lease is None else evidence.lease.words,
        remove=[*(damage.path for damage in evidence.disk.damaged), *evidence.disk.leftovers],
        delete_runs=delete,
        parents=parents,
        tell=isinstance(evidence.told, Told) and (mlflow_differs or ledger_changes or bool(delete)),
    )


def _surplus(evidence: Evidence, told: Told) -> list[RunView]:
    """The run that counts is kept for each trial and for the sweep."""
    keep = {run.run_id for trial in evidence.trials if (run := told.run_of(trial)) is not None}
    if (parent := told.parent(evidence.record.parent_run_id)) is not None:
        keep.add(parent.run_id)
    return [run for run in told.runs if run.run_id not in keep]


def _misplaced(evidence: Evidence, told: Told) -> dict[str, str]:
    parent = told.parent(evidence.record.parent_run_id)
    if parent is None:
        return {}
    runs = [run for trial in evidence.trials if (run := told.run_of(trial)) is not None]
    return {run.run_id: parent.run_id for run in runs if run.parent != parent.run_id}


def _whose(run: RunView) -> str:
    return "of the sweep" if run.trial is None else f"of trial {run.trial}"
