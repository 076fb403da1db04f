"""A trainable whose lanes misbehave on request: one raises, all raise, or they cannot be fused at all."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import cast

from pydantic import BaseModel, Field

from trainables.contract import CannotFuse, Fusing, LaneSteps, Measurement, TrialContext

METRICS = {"val/score": "x times the epoch", "lanes": "how many there are"}
FUSING = Fusing(varies=("x", "mode"))


class Mode(StrEnum):
    """What happens at epoch 2."""

    LEARN = "learn"
    RAISE = "raise"
    ALL_RAISE = "all_raise"
    APART = "apart"


class Config(BaseModel, extra="forbid", frozen=True):
    epochs: int = Field(default=3, ge=1)
    x: float = 0.5
    mode: Mode = Mode.LEARN


def measure(config: Config, epoch: int, *, lanes: int) -> Measurement:
    if config.mode is Mode.RAISE and epoch == 2:
        raise RuntimeError("this lane alone")
    return Measurement(epoch, {"val/score": config.x * epoch, "lanes": float(lanes)})


def first_epoch(context: TrialContext) -> int:
    return 0 if context.resume is None else cast(int, context.resume["epoch"]) + 1


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    for epoch in range(first_epoch(context), config.epochs + 1):
        context.save(lambda epoch=epoch: {"epoch": epoch})
        yield measure(config, epoch, lanes=1)


def train_lanes(configs: Sequence[Config], contexts: Sequence[TrialContext]) -> LaneSteps:
    if any(config.mode is Mode.APART for config in configs):
        raise CannotFuse("one of them wants to be alone")
    left: Collection[int] = range(len(configs))
    for epoch in range(first_epoch(contexts[0]), configs[0].epochs + 1):
        if epoch == 2 and any(configs[place].mode is Mode.ALL_RAISE for place in left):
            raise RuntimeError("the computation that they share")
        step: dict[int, Measurement | Exception] = {}
        for place in left:
            contexts[place].save(lambda epoch=epoch: {"epoch": epoch})
            try:
                step[place] = measure(configs[place], epoch, lanes=len(left))
            except RuntimeError as error:
                step[place] = error
        going_on = yield step
        left = left if going_on is None else sorted(going_on)
        if not left:
            return
