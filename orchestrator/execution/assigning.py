"""From what the ledger suggests to what a worker is sent. Called by `SweepControl.next`."""

from pathlib import Path

from orchestrator.execution.assignment import Assignment
from orchestrator.execution.checkpoint_names import step_folder, trial_folder
from orchestrator.spec import SweepSpec, resolve
from orchestrator.trial import Suggestion


def assign(
    suggestion: Suggestion, spec: SweepSpec, *, checkpoints: Path, directory: Path, gpu_fraction: float = 1.0
) -> Assignment:
    """One attempt at a trial.

    Args:
        checkpoints: the folder of all trials' checkpoints.
        directory: where the sweep was started.
        gpu_fraction: of a GPU's memory, what a trial may take that is not alone.
    """
    segment = suggestion.segment
    return Assignment(
        number=suggestion.number,
        attempt=suggestion.attempt,
        trainable=spec.trainable,
        config=resolve(spec, suggestion.params),
        objective=spec.objective,
        seeds=suggestion.seeds,
        checkpoints=trial_folder(checkpoints, suggestion.number),
        last_step=suggestion.last_step,
        best_value=suggestion.best_value,
        best_step=suggestion.best_step,
        by_seed=spec.watched_metrics,
        checkpoint_interval_s=spec.resources.checkpoint_interval_s,
        start=_start(suggestion, checkpoints),
        until=segment.until if segment else None,
        directory=directory,
        threads=max(1, int(spec.resources.cpu)),
        gpu_fraction=1.0 if suggestion.alone else gpu_fraction,
        environment=spec.resources.env,
    )


def _start(suggestion: Suggestion, checkpoints: Path) -> Path | None:
    """The checkpoint of the trial that this one goes on from."""
    segment = suggestion.segment
    if segment is None or segment.parent is None or suggestion.parent_step is None:
        return None
    return step_folder(trial_folder(checkpoints, segment.parent), suggestion.parent_step)
