"""The work that `overhead.py` runs three times: a trainable that burns CPU and reports a smooth, synthetic curve.

`train` is the trainable of Orch's contract, `train_function` the same for a plain Ray Tune script, which searches
`SPACE`. Both import torch, as real ones do.
"""

import math
import time
from collections.abc import Callable, Iterator

import torch
from pydantic import BaseModel, ConfigDict, Field

from trainables.contract import Measurement, TrialContext

METRIC = "val/recall_at_1"
SPACE = {
    "lr": ("loguniform", 1e-5, 1e-2),
    "weight_decay": ("loguniform", 1e-6, 1e-2),
    "temperature": ("uniform", 0.03, 0.3),
    "margin": ("uniform", 0.0, 0.6),
}
"""By parameter the name and the bounds of one of Ray Tune's domains."""


class Config(BaseModel):
    """The workload's settings; `epoch_s` is CPU seconds an epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    temperature: float = Field(default=0.1, gt=0)
    margin: float = Field(default=0.2, ge=0)
    epochs: int = Field(default=10, ge=1)
    epoch_s: float = Field(default=0.1, ge=0)


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    """Measure epoch 0, then burn an epoch and measure, `config.epochs` times."""
    torch.set_num_threads(1)
    if context.resume is None:
        context.save(lambda: {"epoch": 0})
        yield Measurement(0, metrics_at(config, 0))
        done = 0
    else:
        epoch = context.resume["epoch"]
        assert isinstance(epoch, int)
        done = epoch
    for epoch in range(done + 1, config.epochs + 1):
        burn(config.epoch_s)
        context.save(lambda epoch=epoch: {"epoch": epoch})
        yield Measurement(epoch, metrics_at(config, epoch))


def train_function(config: dict[str, float], report: Callable[[dict[str, float]], None]) -> None:
    """The same as a function that reports each epoch, with the seconds spent in it as `train_s`."""
    torch.set_num_threads(1)
    typed = Config.model_validate(config)
    for epoch in range(1, typed.epochs + 1):
        start = time.perf_counter()
        burn(typed.epoch_s)
        report({**metrics_at(typed, epoch), "train_s": time.perf_counter() - start})


def burn(cpu_s: float) -> None:
    """Work until this process has used `cpu_s` more seconds of CPU."""
    end = time.process_time() + cpu_s
    matrix_NN = torch.eye(64)
    while time.process_time() < end:
        matrix_NN = torch.tanh(matrix_NN @ matrix_NN)


def metrics_at(config: Config, epoch: int) -> dict[str, float]:
    """A curve that rises to a ceiling; ceiling and speed depend on the parameters, best near lr 3e-4."""
    off = (math.log10(config.lr) + 3.5) ** 2 + 0.05 * (math.log10(config.weight_decay + 1e-9) + 4) ** 2
    off += 4 * (config.temperature - 0.1) ** 2 + (config.margin - 0.3) ** 2
    ceiling = 0.02 + 0.7 * math.exp(-off)
    rise = 1 - math.exp(-epoch / (2 + 2 * off))
    recall = 0.02 + (ceiling - 0.02) * rise
    return {
        "val/recall_at_1": recall,
        "val/recall_at_5": min(1.0, 2.1 * recall),
        "val/recall_at_10": min(1.0, 2.8 * recall),
        "val/matched_cosine": 0.1 + 0.6 * rise,
        "val/unmatched_cosine": 0.1 - 0.05 * rise,
        "train/loss": 4.16 - 3.0 * recall,
        "train/loss_contrastive": 3.4 - 2.5 * recall,
        "train/loss_captioning": 0.76 - 0.5 * recall,
        "train/gradient_norm": 1 / (1 + epoch),
    }
