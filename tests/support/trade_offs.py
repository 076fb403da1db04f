"""A trainable whose three metrics pull in different directions: score and cost rise with x, f1 falls; seeds differ."""

from collections.abc import Iterator
from typing import cast

import torch
from pydantic import BaseModel, Field

from trainables.contract import Measurement, State, TrialContext

METRICS = {"val/score": "rises with x", "val/cost": "rises with the square of x", "val/f1": "falls with x"}


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=4, ge=1)
    x: float = Field(default=0.5, ge=0, le=1)
    noise: float = Field(default=0.0, ge=0)
    without: str = ""
    nan_at: int | None = None


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    generator = torch.Generator().manual_seed(context.seed)
    epoch = 0
    if context.resume is not None:
        epoch = cast(int, context.resume["epoch"]) + 1
        generator.set_state(cast(torch.Tensor, context.resume["generator"]))
    while epoch <= config.epochs:
        share = 1 - 0.5**epoch
        luck = config.noise * float(torch.randn((), generator=generator))
        metrics = {
            "val/score": share * config.x + luck,
            "val/cost": float("nan") if epoch == config.nan_at else share * config.x**2,
            "val/f1": share * (1 - config.x),
        }
        state: State = {"epoch": epoch, "generator": generator.get_state()}
        context.save(lambda state=state: state)
        yield Measurement(epoch, {name: value for name, value in metrics.items() if name != config.without})
        epoch += 1
