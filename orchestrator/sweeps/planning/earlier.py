"""What earlier sweeps of the same question tell: paces, and how many epochs their trials ran. Reads the ledger only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.execution.checkpoint_names import step_folder, steps_in
from orchestrator.spec import SweepSpec
from orchestrator.study import SweepRecord, SweepState
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.planning.pace import Pace, longest, time_between, trial_pace
from orchestrator.sweeps.read import newest_sweeps
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.trial import TrialRecord

MIN_TRIALS = 4
"""Ended trials that an earlier sweep needs to say how many epochs a trial runs."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Epochs of each ended trial of an earlier sweep, failed ones too, and which sweep that was."""

    epochs: tuple[int, ...]
    source: str


def earlier_pace(spec: SweepSpec, home: Home, *, concurrency: int | None) -> Pace | None:
    """The pace of the latest sweep with the same trainable, fixed config and repeats, on as many workers if known."""
    for summary in _alike(spec, home):
        trials = [trial for trial in summary.trials if trial.attempt == 1 and trial.segment is None]
        paces = tuple(pace for trial in trials if (pace := trial_pace(trial.measurements)) is not None)
        workers = _workers(trials)
        if not paces or (concurrency is not None and workers != min(concurrency, len(trials))):
            continue
        measurements = [m for trial in trials for m in trial.measurements]
        return Pace(
            paces,
            time_between(trials, concurrency=workers),
            workers,
            f"sweep {summary.sweep.name}, {workers} at a time",
            longest=longest(trials),
            host_bytes=max(m.host_bytes for m in measurements),
            gpu_bytes=max(m.gpu_bytes for m in measurements),
            checkpoint_bytes=checkpoint_bytes(home.sweep(summary.sweep.id), trials),
        )
    return None


def earlier_lengths(spec: SweepSpec, home: Home) -> Lengths | None:
    """How long the trials of the latest sweep ran that also had the same pruner, stop rules and space."""
    for summary in _alike(spec, home):
        other = summary.sweep.spec
        ended = [trial.epochs for trial in summary.trials if trial.state.is_terminal]
        same = (other.pruner, other.stop, other.space) == (spec.pruner, spec.stop, spec.space)
        if same and other.sampler.type == spec.sampler.type and len(ended) >= MIN_TRIALS:
            return Lengths(tuple(ended), f"sweep {summary.sweep.name}")
    return None


def checkpoint_bytes(paths: SweepPaths, trials: list[TrialRecord]) -> int | None:
    """The size of the largest checkpoint that trials have kept; None without one."""
    newest = [
        step_folder(folder, steps[-1])
        for folder in {path.parent for trial in trials for path in paths.checkpoints_of(trial).values()}
        if (steps := steps_in(folder))
    ]
    return max((_size(folder) for folder in newest), default=None)


def _alike(spec: SweepSpec, home: Home) -> Iterator[SweepSummary]:
    asked = (spec.trainable, spec.config, spec.repeats)

    def is_alike(other: SweepRecord) -> bool:
        same = (other.spec.trainable, other.spec.config, other.spec.repeats) == asked
        return same and other.confirms is None and other.state is not SweepState.RUNNING

    return newest_sweeps(home, is_alike)


def _workers(trials: list[TrialRecord]) -> int:
    """The most trials that ran at the same time."""
    spans = [(m[0].at_ms - 1000 * m[0].train_s, m[-1].at_ms) for trial in trials if (m := trial.measurements)]
    return max((sum(began <= start < ended for began, ended in spans) for start, _ in spans), default=0)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
