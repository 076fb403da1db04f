"""The checkpoint folder of one trial. Keeps the best and the two newest; the best waits in memory until a write."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch

from orchestrator.execution.checkpoint_names import ATTEMPT_FILE, remove_unfinished, step_folder, steps_in
from trainables.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from trainables.contract import State

NUM_NEWEST_KEPT = 2


class CheckpointFolder:
    """Writes, finds and thins out the checkpoints of one trial, for one of its attempts.

    Attributes:
        best: the step of the best measurement so far; its checkpoint is never thinned out.
        damaged: what was found unreadable and passed over, one line each.
    """

    def __init__(self, folder: Path, *, best: int | None, attempt: int = 1) -> None:
        self.folder = folder
        self.best = best
        self._attempt = attempt
        self.damaged: list[str] = []
        self._held: State | None = None

    def claim(self) -> None:
        """Take the folder for this attempt: an earlier one that still lives somewhere writes no more.

        Raises: CheckpointError: a later attempt has it.
        """
        self._refuse_later()
        self.folder.mkdir(parents=True, exist_ok=True)
        claim = self.folder / ATTEMPT_FILE
        fresh = claim.with_name(f".{claim.name}.{os.getpid()}")
        fresh.write_text(str(self._attempt))
        fresh.replace(claim)

    def hold_best(self, step: int, state: State) -> None:
        """Keep a copy of the best state so far in memory; `flush` writes it. Each better one replaces it unwritten."""
        self.best = step
        self._held = _copied(state)

    def write(self, step: int, state: State) -> None:
        """Write a checkpoint, and the best one that is held; a step that has one keeps it."""
        self.flush()
        self._write(step, state)

    def flush(self) -> None:
        """Write the best state if it is held; it is held on where that fails."""
        if self._held is not None and self.best is not None:
            self._write(self.best, self._held)
            self._held = None

    @property
    def newest(self) -> int | None:
        """The newest step that has a checkpoint."""
        return max(steps_in(self.folder), default=None)

    @property
    def has_best(self) -> bool:
        """Whether the best checkpoint is on disk."""
        return self.best is not None and step_folder(self.folder, self.best).exists()

    def read(self, step: int) -> State:
        """The state of one step; nothing is removed.

        Raises: CheckpointError: there is none, or it is damaged.
        """
        path = step_folder(self.folder, step)
        if not path.exists():
            raise CheckpointError(f"{self.folder}: no checkpoint of step {step}; there are {steps_in(self.folder)}")
        return read_checkpoint(path)

    def read_newest(self, *, not_after: int) -> State | None:
        """The state of the newest sound checkpoint; a damaged one is removed and noted in `damaged`.

        One of a later step, which nobody has measured, is removed too: it would count as the newest for ever. So is
        what a process that was killed has half written.
        """
        remove_unfinished(self.folder)
        for step in reversed(steps_in(self.folder)):
            path = step_folder(self.folder, step)
            if step > not_after:
                shutil.rmtree(path, ignore_errors=True)
                continue
            try:
                return read_checkpoint(path)
            except CheckpointError as error:
                self.damaged.append(f"the checkpoint of step {step} was passed over: {error}")
                shutil.rmtree(path, ignore_errors=True)
        return None

    def _refuse_later(self) -> None:
        claim = self.folder / ATTEMPT_FILE
        text = claim.read_text() if claim.exists() else ""
        if text.isdigit() and int(text) > self._attempt:
            raise CheckpointError(f"{self.folder}: attempt {text} has taken over from attempt {self._attempt}")

    def _write(self, step: int, state: State) -> None:
        self._refuse_later()
        path = step_folder(self.folder, step)
        if not path.exists():
            write_checkpoint(path, state)
        kept = {*steps_in(self.folder)[-NUM_NEWEST_KEPT:], self.best}
        for old in steps_in(self.folder):
            if old not in kept:
                shutil.rmtree(step_folder(self.folder, old), ignore_errors=True)


def _copied(value: State) -> State:
    """The state with its tensors copied to memory that training does not change."""
    return {key: _copied_value(item) for key, item in value.items()}


def _copied_value(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, Mapping):
        return {key: _copied_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied_value(item) for item in value]
    return value
