"""A trainable of your own, whole: learn a line's slope. Use it as `trainable: tests.support.own_trainable:train`."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from trainables.contract import Measurement, TrialContext

METRICS = {"val/error": "distance to the true slope"}


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=5, ge=1)
    lr: float = Field(default=0.1, gt=0, le=1)


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    state = context.resume or {"epoch": -1, "slope": 0.0}
    slope = float(state["slope"])
    for epoch in range(int(state["epoch"]) + 1, config.epochs + 1):
        if epoch > 0:  # step 0 measures the untrained model
            slope -= config.lr * 2 * (slope - 3.0)
        context.save(lambda epoch=epoch, slope=slope: {"epoch": epoch, "slope": slope})
        yield Measurement(step=epoch, metrics={"val/error": abs(slope - 3.0)})
