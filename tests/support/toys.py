"""A trainable with a known optimum (x = 0.3, kind a) that learns in no time, and misbehaves in each way on request."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import cast

import numpy as np
import torch
from pydantic import BaseModel, Field

from tests.support import failpoints
from trainables.contract import Measurement, State, TrialContext

METRICS = {
    "val/score": "the objective; 1 is perfect",
    "val/effective_rank": "for the collapse rule",
    "val/resultant_length": "for the doctor",
    "noise": "a draw of the generator that travels in the checkpoint",
    "pid": "the process that trains",
    "node": "the first 48 bits of the Ray node's id",
    "imported_at": "when this process imported this module",
}
IMPORTED_AT = time.time()


class Mode(StrEnum):
    """How a trial behaves from epoch `at` on."""

    LEARN = "learn"
    FLAT = "flat"
    COLLAPSE = "collapse"
    SICK = "sick"
    SINK = "sink"
    NAN = "nan"
    INFINITE = "infinite"
    SIDE_NAN = "side_nan"
    RAISE = "raise"
    EXIT = "exit"
    DIE = "die"
    HANG = "hang"
    NO_MEMORY = "no_memory"
    NO_GPU_MEMORY = "no_gpu_memory"
    MISSING = "missing"
    DICT = "dict"
    TEXT_METRIC = "text_metric"
    NONE_METRIC = "none_metric"
    LIBRARY_NUMBERS = "library_numbers"
    BACKWARDS = "backwards"
    RETURN = "return"
    ODD_STATE = "odd_state"


class Config(BaseModel, extra="forbid"):
    epochs: int = Field(default=4, ge=1)
    x: float = Field(default=0.3, ge=-10, le=10)
    z: float = Field(default=0.0, ge=-10, le=10)
    kind: str = "a"
    mode: Mode = Mode.LEARN
    at: int = Field(default=2, ge=0)
    once: str = Field(default="", description="A folder: each trial misbehaves at its first try alone, noted there.")
    epoch_s: float = Field(default=0.0, ge=0)
    start_s: float = Field(default=0.0, ge=0)
    diary: str = Field(default="", description="A file that gets a line for each start, epoch and end.")


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    note(config, "start")
    time.sleep(config.start_s)
    generator = torch.Generator().manual_seed(context.seed)
    epoch = 0
    if context.resume is not None:
        epoch = cast(int, context.resume["epoch"]) + 1
        generator.set_state(cast(torch.Tensor, context.resume["generator"]))
    try:
        while epoch <= config.epochs:
            note(config, f"epoch {epoch}")
            if epoch:
                time.sleep(config.epoch_s)
            noise = float(torch.rand((), generator=generator))
            measurement = misbehave(config, epoch) if epoch >= config.at and not has_misbehaved(config) else None
            if config.mode is Mode.RETURN and epoch >= config.at:
                return
            state: State = {"epoch": epoch, "generator": generator.get_state()}
            if config.mode is Mode.ODD_STATE:
                state = {"epoch": epoch, "lambda": lambda: 0}
            context.save(lambda state=state: state)
            yield measurement or Measurement(epoch, {"val/score": score(config, epoch), **side_metrics(noise)})
            epoch += 1
    finally:
        note(config, "end")


def note(config: Config, line: str) -> None:
    if config.diary:
        with Path(config.diary).open("a") as diary:
            diary.write(f"x={config.x!r} {line}\n")


def score(config: Config, epoch: int) -> float:
    """Rises from 0 towards the quality of the configuration."""
    quality = 1 - (config.x - 0.3) ** 2 - (0.1 if config.kind != "a" else 0.0)
    if config.mode is Mode.FLAT:
        return 0.5 if epoch else 0.0
    if config.mode is Mode.SINK:
        return -0.1 * epoch
    return quality * (1 - 0.5**epoch)


def side_metrics(noise: float) -> dict[str, float]:
    return {"noise": noise, "pid": os.getpid(), "node": node(), "imported_at": IMPORTED_AT}


def node() -> float:
    """Which node of a Ray cluster this is; 0 outside of one."""
    ray = sys.modules.get("ray")
    return float(int(ray.get_runtime_context().get_node_id()[:12], 16)) if ray and ray.is_initialized() else 0.0


def has_misbehaved(config: Config) -> bool:
    """Whether it is enough; from now on it is."""
    if not config.once or config.mode is Mode.LEARN:
        return False
    tried = Path(config.once) / f"{config.mode} x={config.x!r}"
    if not tried.exists():
        tried.touch()
        return False
    return True


def misbehave(config: Config, epoch: int) -> Measurement | None:
    """What is done, or yielded, instead of an honest measurement."""
    match config.mode:
        case Mode.RAISE:
            raise ValueError(f"no luck\nat epoch {epoch}")
        case Mode.EXIT:
            sys.exit("enough")
        case Mode.DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        case Mode.HANG:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
            time.sleep(1000)
        case Mode.NO_MEMORY:
            raise MemoryError("no luck")
        case Mode.NO_GPU_MEMORY:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        case Mode.DICT:
            return cast(Measurement, {"val/score": 1.0})
        case Mode.BACKWARDS:
            return Measurement(config.at - 1, {"val/score": 0.5})
        case Mode.LIBRARY_NUMBERS:
            epoch = cast(int, np.int64(epoch))
    metrics = {
        Mode.NAN: {"val/score": float("nan")},
        Mode.INFINITE: {"val/score": float("inf")},
        Mode.SIDE_NAN: {"val/score": 0.5, "noise": float("nan")},
        Mode.COLLAPSE: {"val/score": 0.5 + 0.01 * epoch, "val/effective_rank": 1.0},
        Mode.SICK: {"val/score": 0.5 + 0.01 * epoch, "val/resultant_length": 0.999},
        Mode.MISSING: {"noise": 1.0},
        Mode.TEXT_METRIC: {"val/score": "0.5"},
        Mode.NONE_METRIC: {"val/score": 0.5, "noise": None},
        Mode.LIBRARY_NUMBERS: {"val/score": torch.tensor(0.5 + 0.25 * epoch), "noise": np.float32(0.25)},
    }.get(config.mode)
    return Measurement(epoch, cast(dict[str, float], metrics)) if metrics else None


# Here, because a worker imports nothing else of the tests; at the end, because a point may be in this module.
failpoints.install()
