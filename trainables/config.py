"""Config models that several tasks share. Must not know torch."""

from typing import Annotated

from pydantic import Field

from trainables.schedules import LearningRateSchedule, StrictModel

__all__ = ["Optimizer", "StrictModel"]


class Optimizer(StrictModel):
    """AdamW. Weight decay applies to matrices only, not to biases, norms and scalars."""

    lr: float = Field(default=5e-4, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=1e-4, ge=0, le=10)
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this norm.")
    schedule: LearningRateSchedule = LearningRateSchedule()
