"""The checkpoint folder of one trial: `step-000005/` and so on. Keeps the best and the two newest."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from trainables.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from trainables.contract import State

NUM_NEWEST_KEPT = 2
_PREFIX = "step-"


@dataclass(slots=True)
class CheckpointFolder:
    """Writes, finds and thins out the checkpoints of one trial."""

    folder: Path
    best: int | None = None
    damaged: list[str] = field(default_factory=list)

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step is."""
        return self.folder / f"{_PREFIX}{step:06d}"

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, ascending."""
        found = self.folder.glob(f"{_PREFIX}*")
        return sorted(int(p.name.removeprefix(_PREFIX)) for p in found if p.name.removeprefix(_PREFIX).isdigit())

    def write(self, step: int, state: State, *, best: bool) -> Path:
        """Write a checkpoint; a step that has one keeps it."""
        if best:
            self.best = step
        if not self.path(step).exists():
            write_checkpoint(self.path(step), state)
        self._thin_out()
        return self.path(step)

    def read_newest(self, *, not_after: int) -> State | None:
        """The state of the newest sound checkpoint; a damaged one is noted in `damaged` and passed over."""
        for step in reversed([s for s in self.steps() if s <= not_after]):
            try:
                return read_checkpoint(self.path(step))
            except CheckpointError as error:
                self.damaged.append(f"{self.path(step)}: {error}")
                shutil.rmtree(self.path(step), ignore_errors=True)
        return None

    def _thin_out(self) -> None:
        kept = {*self.steps()[-NUM_NEWEST_KEPT:], self.best}
        for step in self.steps():
            if step not in kept:
                shutil.rmtree(self.path(step), ignore_errors=True)
