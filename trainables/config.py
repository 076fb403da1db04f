"""Config models that several tasks share. Must not know torch."""

from typing import Annotated

from pydantic import Field

from trainables.schedules import LearningRateSchedule, StrictModel

__all__ = ["GroupOptimizer", "Optimizer", "StrictModel"]


class GroupOptimizer(StrictModel):
    """AdamW's settings for one group of parameters. Weight decay applies to matrices, not to biases, norms, scalars."""

    lr: float = Field(default=5e-4, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=1e-4, ge=0, le=10)
    schedule: LearningRateSchedule = LearningRateSchedule()


class Optimizer(GroupOptimizer):
    """AdamW over all parameters that have no group of their own; betas and clipping are of the whole model."""

    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this norm.")
