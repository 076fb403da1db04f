"""What a task tells the loop, and the three types that it sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from trainables.contract import State
from trainables.losses.similarity import Scalar
from trainables.metrics.resampling import Resamplable

ModelT = TypeVar("ModelT", bound=nn.Module)
BatchT = TypeVar("BatchT")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in a trial.

    Attributes:
        epoch: epochs done, with a fraction inside an epoch.
        epochs: how many there will be.
        generator: the trial's own randomness, on the CPU; what is drawn from it survives a resume.
        scalars: what the task's `scalars` gives at this moment. Where trials are fused, a tensor of each lane.
    """

    epoch: float
    epochs: int
    generator: torch.Generator
    scalars: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One task's share in a batch: its loss, a scalar with a graph, and the factor on it in the total.

    A weight that is a tensor is learned: its gradient is that of the total.
    """

    loss: Tensor
    weight: float | Tensor


@dataclass(frozen=True, slots=True)
class BatchLoss:
    """The loss of one batch.

    Attributes:
        parts: by task name; they may differ between batches. A batch without any is skipped and counted.
        effective: settings in effect to report, without the prefix `train/`, such as `temperature`. Tensors stay
            tensors: a number taken from one makes a GPU wait, and cannot be taken from a lane.
        regularizer: a scalar that is added to the total as it is, such as the log terms of learned weights.
    """

    parts: Mapping[str, Part]
    effective: Mapping[str, Scalar] = field(default_factory=dict)
    regularizer: Tensor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from."""
        return not self.parts and self.regularizer is None

    @property
    def total(self) -> Tensor:
        """The weighted sum, and the regularizer; of lanes a row."""
        terms = [part.weight * part.loss for part in self.parts.values()]
        return torch.stack(terms if self.regularizer is None else [*terms, self.regularizer]).sum(dim=0)


class Task(Protocol[ModelT, BatchT]):
    """What a task tells the loop. Inherit from it: the last six methods have defaults that do nothing."""

    def build_model(self) -> ModelT:
        """A new model on the CPU, initialised from torch's global generator, which the loop has seeded."""

    def parameter_groups(self, model: ModelT) -> Mapping[str, nn.Module]:
        """The parts of the model that are trained; the gradient norm of each is reported under its name."""

    def trunk(self, model: ModelT) -> nn.Module:
        """The part on which the gradients of the tasks are compared."""

    def batches(self, moment: Moment) -> Iterable[BatchT]:
        """The batches of the epoch that begins at `moment`, in an order drawn from its generator."""

    def num_batches(self, moment: Moment) -> int:
        """How many batches that epoch has."""

    def loss(self, model: ModelT, batch: BatchT, moment: Moment) -> BatchLoss:
        """The loss of one training batch.

        Where trials are fused this is traced once for all lanes: it must not depend on values of what comes from the
        model or from `moment.scalars`, only on their shapes.
        """

    def evaluate(self, model: ModelT, moment: Moment) -> Mapping[str, float]:
        """Measure on val, with full metric names; empty when the model's outputs are not finite.

        Called without gradients; must not draw randomness. At step 0 the model is untrained. For `Purpose.TEST` the
        data has test in the place of val, and the loop renames what was measured.
        """

    def resamplable(self, model: ModelT, moment: Moment) -> Mapping[str, Resamplable]:
        """Those metrics of `evaluate` that may be an objective and can be computed with any weights of the items.

        Called as `evaluate` is and after it, for `Purpose.TEST` alone.
        """
        return {}

    def scalars(self, moment: Moment) -> Mapping[str, Scalar]:
        """The numbers of the config in which lanes of one computation may differ, as they are at this moment.

        Several that belong together, such as a factor for each class, may be a tensor of one shape in all lanes.
        """
        return {}

    def begin_epoch(self, model: ModelT, moment: Moment) -> Mapping[str, float]:
        """Prepare an epoch, such as embed the training set for mining; the model is in eval mode, without gradients.

        Returns: values to report with the epoch, without the prefix `train/`.
        """
        return {}

    def after_step(self, model: ModelT, batch: BatchT) -> Mapping[str, float]:
        """Keep up with a step of the optimizer, such as fill a memory; called without recording gradients.

        The model's parameters still have the `grad` that they were changed by, also in lanes: clipped, or None.

        Returns: values whose means over the epoch are reported, without the prefix `train/`.
        """
        return {}

    def state(self) -> State:
        """What the task itself must keep for an exact resume, such as a memory; copies, not views."""
        return {}

    def restore(self, state: State) -> None:
        """Take back what `state` gave."""
        return None
