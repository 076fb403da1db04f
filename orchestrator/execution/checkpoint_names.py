"""The names of checkpoint folders, `trial-0003/step-000005`; without torch, so that reading a sweep is quick."""

import shutil
from pathlib import Path

_STEP = "step-"
ATTEMPT_FILE = "attempt"
"""In a trial's folder: the number of the attempt that may write there."""


def trial_folder(root: Path, number: int) -> Path:
    """Where the checkpoints of a trial are."""
    return root / f"trial-{number:04d}"


def step_folder(trial: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return trial / f"{_STEP}{step:06d}"


def steps_in(trial: Path) -> list[int]:
    """The steps that have a checkpoint, ascending."""
    names = [path.name.removeprefix(_STEP) for path in trial.glob(f"{_STEP}*")]
    return sorted(int(name) for name in names if name.isdigit())


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left anywhere in a folder: a checkpoint is hidden until it is whole."""
    for path in list(folder.rglob(f".{_STEP}*")):
        shutil.rmtree(path, ignore_errors=True)
