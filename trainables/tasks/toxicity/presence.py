"""When each task was last seen, and what happened to its learned weight meanwhile: the record of the phantom gradient.

The task calls it after each step; the figures are the largest of the epoch, since means would hide a single absence.
"""

from collections.abc import Sequence, Set
from typing import cast

from trainables.contract import State
from trainables.losses.uncertainty import TaskUncertainties


class Presence:
    """Counts steps without a task. With learned weights it also watches ln sigma^2."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self._since = dict.fromkeys(tasks, 0)
        self._longest = dict.fromkeys(tasks, 0)
        self._left_at: dict[str, float] = {}
        self._gradient = dict.fromkeys(tasks, 0.0)
        self._drift = dict.fromkeys(tasks, 0.0)

    def begin_epoch(self) -> None:
        """Forget the largest figures of the epoch before; an absence that goes on is still counted from its begin."""
        self._longest = dict(self._since)
        self._gradient = dict.fromkeys(self._gradient, 0.0)
        self._drift = dict.fromkeys(self._drift, 0.0)

    def after_step(self, present: Set[str], uncertainties: TaskUncertainties) -> None:
        """Take note of a step; gradients are still there."""
        for task in self._since:
            self._since[task] = 0 if task in present else self._since[task] + 1
            self._longest[task] = max(self._longest[task], self._since[task])
        for task, log_variance in uncertainties.items():
            value = log_variance.item()
            if task in present or task not in self._left_at:
                self._left_at[task] = value
            if task not in present:
                gradient = 0.0 if log_variance.grad is None else abs(log_variance.grad.item())
                self._gradient[task] = max(self._gradient[task], gradient)
                self._drift[task] = max(self._drift[task], value - self._left_at[task], key=abs)

    def report(self, *, learned: bool) -> dict[str, float]:
        """The epoch's figures. Args: learned: whether there are learned weights to report on."""
        values = {f"train/batches_since_seen_{task}": float(count) for task, count in self._longest.items()}
        if learned:
            values |= {f"train/absent_gradient_{task}": value for task, value in self._gradient.items()}
            values |= {f"train/absent_drift_{task}": value for task, value in self._drift.items()}
        return values

    def state(self) -> State:
        """What an absence that spans a resume needs; the largest figures begin anew with the epoch."""
        return {"since": dict(self._since), "left_at": dict(self._left_at)}

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        self._since = dict(cast(dict[str, int], state["since"]))
        self._left_at = dict(cast(dict[str, float], state["left_at"]))
