"""What both sides train: epochs that sleep, values that are known, faults on request, and a diary of what was trained.

`train` is the trainable of Orch's contract; `stock.trainable` is the same as a function for Ray Tune.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from trainables.contract import Measurement, TrialContext

METRIC = "val/score"
METRICS = {METRIC: "1 is perfect"}
LATE_ABOVE = 0.5


class Config(BaseModel, extra="forbid"):
    """One trial; `x` is what is searched."""

    x: float = Field(default=0.5, ge=0, le=1)
    epochs: int = Field(default=4, ge=1)
    epoch_s: float = Field(default=0.5, ge=0)
    nan_above: float = Field(default=2.0, description="A trial with a greater x has NaN from epoch 1 on.")
    kills_itself: str = Field(default="", description="A file; the first worker in epoch 3 makes it and dies.")
    diary: str


def score(x: float, epoch: int, *, epochs: int) -> float:
    """Known values. The good half, x above 0.5, rises late: at first it looks worse than the other."""
    done = epoch / epochs
    return (0.5 + 0.4 * x) * done if x > LATE_ABOVE else (0.3 + 0.4 * x) * (1 - 0.2**epoch)


def epoch_of(config: Config, epoch: int) -> float:
    """Train one epoch and note it; returns its value."""
    time.sleep(config.epoch_s)
    if config.kills_itself and epoch == 3:
        _die_once(Path(config.kills_itself))
    with Path(config.diary).open("a") as diary:
        diary.write(f"{config.x!r} {epoch} {time.time():.3f} {os.getpid()}\n")
    return float("nan") if config.x > config.nan_above else score(config.x, epoch, epochs=config.epochs)


def _die_once(mark: Path) -> None:
    """A worker that is killed, once in a sweep."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Orch's side: epoch 0 is the untrained model."""
    done = -1 if context.resume is None else int(str(context.resume["epoch"]))
    for epoch in range(done + 1, config.epochs + 1):
        value = epoch_of(config, epoch) if epoch else 0.0
        context.save(lambda epoch=epoch: {"epoch": epoch})  # type: ignore[misc]
        yield Measurement(epoch, {METRIC: value})
