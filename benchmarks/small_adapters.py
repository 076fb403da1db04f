"""The work of `fused_sweeps.py`: Orch's `adapter` trainable, small, as a plain Ray Tune script trains it."""

import time
from collections.abc import Callable

import torch

from trainables.contract import TrialContext
from trainables.tasks.adapter.config import Config
from trainables.tasks.adapter.task import train

METRIC = "val/r2"
SPACE = {
    "lr": ("loguniform", 1e-4, 1e-2),
    "weight_decay": ("loguniform", 1e-6, 1.0),
    "temperature": ("loguniform", 0.02, 0.5),
    "contrastive_weight": ("loguniform", 1e-3, 1e-1),
}
"""By parameter the name and the bounds of one of Ray Tune's domains."""
HIDDEN = 32
"""Also in `fused_sweeps.yaml`, as are the other numbers below."""


def train_function(config: dict[str, float], report: Callable[[dict[str, float]], None]) -> None:
    """Train one trial and report each epoch, with the seconds spent in it as `train_s`."""
    torch.set_num_threads(1)
    typed = Config.model_validate(
        {
            "epochs": config["epochs"],
            "spaces": "clip",
            "clip": {
                "adapter": {"hidden": HIDDEN},
                "loss": {"contrastive_weight": config["contrastive_weight"], "temperature": config["temperature"]},
                "optimizer": {"lr": config["lr"], "weight_decay": config["weight_decay"]},
            },
            "data": {"source": "generated", "num_classes": 8, "num_train": 256, "imbalance": 4.0},
        }
    )
    began_s = time.perf_counter()
    for measurement in train(typed, TrialContext()):
        report({**measurement.metrics, "train_s": time.perf_counter() - began_s})
        began_s = time.perf_counter()
