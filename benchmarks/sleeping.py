"""A trainable that sleeps: trials of a known length that leave the processor to Orch and Ray."""

import time
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from benchmarks.workload import Config as Curve
from benchmarks.workload import metrics_at
from trainables.contract import Measurement, TrialContext


class Config(BaseModel):
    """Seconds of an epoch, and parameters that decide a smooth, synthetic curve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    epochs: int = Field(default=1, ge=1)
    epoch_s: float = Field(default=1.0, ge=0)


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Measure epoch 0, then sleep an epoch and measure, `config.epochs` times."""
    curve = Curve(lr=config.lr, weight_decay=config.weight_decay)
    done = 0
    if context.resume is None:
        context.save(lambda: {"epoch": 0})
        yield Measurement(0, metrics_at(curve, 0))
    else:
        done = int(str(context.resume["epoch"]))
    for epoch in range(done + 1, config.epochs + 1):
        time.sleep(config.epoch_s)
        context.save(lambda epoch=epoch: {"epoch": epoch})
        yield Measurement(epoch, metrics_at(curve, epoch))
