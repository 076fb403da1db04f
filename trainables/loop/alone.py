"""The computation of one trial as it is: its own model, its own graph. `trial` drives it, or a `Stack` of several."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Generic

from torch import Tensor

from trainables.contract import TrialContext
from trainables.loop.task import BatchLoss, BatchT, ModelT, Moment, Task
from trainables.loop.update import Update


@dataclass(slots=True)
class Lane(Generic[ModelT, BatchT]):
    """One trial: alone, or one of those that train together.

    Attributes:
        place: among those that began together.
        measured: names of what was measured at first.
    """

    place: int
    task: Task[ModelT, BatchT]
    model: ModelT
    update: Update
    context: TrialContext
    measured: list[str] = field(default_factory=list)


class Alone(Generic[ModelT, BatchT]):
    """One lane, computed eagerly."""

    num_lanes: int | None = None
    """None: what is computed has no axis of lanes."""

    def __init__(self, lane: Lane[ModelT, BatchT]) -> None:
        self._lane, self._update = lane, lane.update
        self.begin, self.step = self._update.begin, self._update.step
        self.snapshot, self.ratio_since = self._update.snapshot, self._update.ratio_since

    @property
    def trunk(self) -> Sequence[Tensor]:
        """The parameters on which tasks are compared."""
        return list(self._lane.task.trunk(self._lane.model).parameters())

    def loss(self, batch: BatchT, moment: Moment) -> BatchLoss:
        """The loss of one batch."""
        task = self._lane.task
        return task.loss(self._lane.model, batch, replace(moment, scalars=task.scalars(moment)))
