"""A trainable with a test split: its value is `effect` times x, plus noise of the seed; `diary` notes reads of test.

The best x is 1. With `effect: 0` every configuration is as good as any other.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

from trainables.contract import Measurement, Purpose, TrialContext

METRICS = {"val/score": "the objective", "test/score": "the same on test"}
PURPOSES = (Purpose.SEARCH, Purpose.TEST)
NUM_UNITS, NUM_RESAMPLES = 40, 200


class Data(BaseModel, extra="forbid"):
    num_train: int = 10
    num_test: int = NUM_UNITS


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=2, ge=1)
    x: float = Field(default=0.0, ge=-1, le=2)
    effect: float = 1.0
    noise: float = 0.1
    fails_from: int = Field(default=-1, description="Seeds from here on fail after the first epoch; -1: none does.")
    epoch_s: float = 0.0
    kills_test: bool = Field(default=False, description="The second read of test kills the process, once.")
    diary: str = ""
    data: Data = Data()


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    rng = np.random.default_rng([context.seed, round(1e6 * (config.x + 1))])
    val, on_test = config.effect * config.x + config.noise * rng.standard_normal(2)
    if context.purpose is Purpose.TEST:
        yield examine(config, context, on_test)
        return
    first = 0 if context.resume is None else int(context.resume["epoch"]) + 1
    for epoch in range(first, config.epochs + 1):
        time.sleep(config.epoch_s if epoch else 0)
        if epoch == 2 and 0 <= config.fails_from <= context.seed:
            raise ValueError("no luck with this seed")
        context.save(lambda epoch=epoch: {"epoch": epoch})
        # A little less in the last epoch, so that the best checkpoint is not the last one.
        share = 0.9 if epoch == config.epochs and epoch > 1 else min(epoch, 1)
        yield Measurement(epoch, {"val/score": float(val) * share if val > 0 else float(val) - (1 - share)})


def examine(config: Config, context: TrialContext, value: float) -> Measurement:
    assert context.resume is not None, "TEST measures a trained state"
    epoch = int(context.resume["epoch"])
    if config.diary:
        diary = Path(config.diary)
        with diary.open("a") as file:
            file.write(f"test of x={config.x!r} seed={context.seed} epoch={epoch}\n")
        if config.kills_test and len(diary.read_text().splitlines()) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    units = value + 0.1 * np.random.default_rng(1).standard_normal(NUM_UNITS)
    drawn = np.random.default_rng(2).integers(NUM_UNITS, size=(NUM_RESAMPLES, NUM_UNITS))
    resamples = units[drawn].mean(axis=1).tolist()
    return Measurement(epoch, {"test/score": float(units.mean()), "test/other": 1.0}, {"test/score": resamples})
