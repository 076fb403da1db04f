"""A trainable that sleeps: its epochs take random times, longer in a wide model. For the benchmark of plans."""

import random
import time
from collections.abc import Iterator

from pydantic import BaseModel, Field

from trainables.contract import Measurement, TrialContext

METRICS = {"val/score": "1 is perfect"}


class Config(BaseModel, extra="forbid"):
    """What a trial may vary."""

    epochs: int = Field(default=9, ge=1)
    x: float = Field(default=0.5, ge=0, le=1)
    width: int = Field(default=4, ge=1, description="An epoch takes time in proportion.")
    epoch_s: float = Field(default=0.2, ge=0, description="Mean seconds of an epoch at width 4.")
    spread: float = Field(default=0.4, ge=0, description="Of the logarithm of an epoch's time.")
    start_s: float = Field(default=0.2, ge=0)


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Rises towards a quality that is best at x = 0.7, with noise."""
    rng = random.Random(f"{context.seed} {config.x} {config.width}")
    state: dict[str, int] = {"epoch": 0} if context.resume is None else {"epoch": int(str(context.resume["epoch"])) + 1}
    quality = 1 - (config.x - 0.7) ** 2
    for epoch in range(state["epoch"], config.epochs + 1):
        mean_s = config.epoch_s * config.width / 4
        time.sleep(mean_s * rng.lognormvariate(-(config.spread**2) / 2, config.spread) if epoch else config.start_s)
        context.save(lambda epoch=epoch: {"epoch": epoch})  # type: ignore[misc]
        score = quality * (1 - 0.5**epoch) + rng.gauss(0, 0.02)
        yield Measurement(epoch, {"val/score": score})
