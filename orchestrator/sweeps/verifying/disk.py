"""What a sweep has left on disk: its checkpoints, which of them are damaged, and what nobody will come back for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.execution.checkpoint_names import ATTEMPT_FILE, step_folder, steps_in, trial_folder
from orchestrator.sweeps.paths import SweepPaths
from orchestrator.trial import TrialRecord
from trainables.manifest import CheckpointError, check_folder

_WHOLE = re.compile(r"step-\d+")


@dataclass(frozen=True, slots=True)
class Damage:
    """A checkpoint that cannot be read."""

    trial: int
    step: int
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Disk:
    """The folders of one sweep.

    Attributes:
        steps: trial to the steps that have a checkpoint.
        damaged: of all of them.
        leftovers: half-written checkpoints, and Ray Tune's folder.
    """

    steps: Mapping[int, Sequence[int]]
    damaged: Sequence[Damage]
    leftovers: Sequence[Path]

    def is_sound(self, trial: int, step: int) -> bool:
        """Whether there is a checkpoint that can be read."""
        is_damaged = any((damage.trial, damage.step) == (trial, step) for damage in self.damaged)
        return step in self.steps.get(trial, ()) and not is_damaged


def look_at_disk(paths: SweepPaths, trials: Sequence[TrialRecord]) -> Disk:
    """Read every checkpoint of a sweep, which is as quick as its disk."""
    folders = {trial.number: trial_folder(paths.checkpoints, trial.number) for trial in trials}
    steps = {number: steps_in(folder) for number, folder in folders.items()}
    found = [(number, step) for number, known in steps.items() for step in known]
    damaged = [damage for number, step in found if (damage := _damage(folders[number], number, step)) is not None]
    half = [path for folder in folders.values() for path in _half_written(folder)]
    return Disk(steps, damaged, [*half, *([paths.tune] if paths.tune.exists() else [])])


def _damage(folder: Path, trial: int, step: int) -> Damage | None:
    path = step_folder(folder, step)
    try:
        check_folder(path)
    except CheckpointError as error:
        return Damage(trial, step, path, str(error))
    return None


def _half_written(folder: Path) -> list[Path]:
    """What stands beside the checkpoints: a process that writes one gives it its name when it is whole."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.name != ATTEMPT_FILE and not _WHOLE.fullmatch(p.name))
