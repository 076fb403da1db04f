"""Omniglot, characters of alphabets that were never seen: how often the nearest other drawing is of the same one.

RECIPE was chosen with seed 0, on the same 106 characters; the figures are from other seeds. The last epoch counts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.real.result import Result
from trainables.contract import TrialContext
from trainables.tasks.multitask.config import Config
from trainables.tasks.multitask.task import train

SEEDS = (1, 2, 3)
RECIPE = {
    "epochs": 12,
    "batch_size": 128,
    "items_per_class": 4,
    "optimizer": {
        "lr": 2e-3,
        "weight_decay": 0.05,
        "schedule": {"kind": "cosine", "end": 0.0, "warmup_epochs": 0.5},
    },
    "loss_weights": {"contrastive": 0.3, "class_contrastive": 2.0, "captioning": 0.05, "masked_modeling": 0.05},
    "temperature": {"start": 0.07},
    "warp": 0.1,
    "sizes": {"stem": "deep", "embedding": 128},
    "masking": {"batch_fraction": 0.25},
    "evaluation": {"num_captions": 0},
}


def measure(data: Path) -> list[Result]:
    """Three seeds, about two minutes each."""
    curves = [_curve(data, seed) for seed in SEEDS]
    untrained = np.mean([curve[0]["val/class_recall_at_1"] for curve in curves])
    raw = curves[0][0]["val/raw_pixel_recall_at_1"]
    chance = curves[0][0]["val/chance_recall_at_1"]
    return [
        _result(
            "Recall@1 by class, 106 unseen characters, 2120 drawings",
            [curve[-1]["val/class_recall_at_1"] for curve in curves],
            target="well above the raw pixels, aim .70",
            baseline=f"raw pixels {raw:.3f} at 32 x 32 (.34 at full size), untrained {untrained:.3f}",
        ),
        _result(
            "Recall@10 of a drawing's own pen strokes among all 2120, both directions",
            [curve[-1]["val/recall_at_10"] for curve in curves],
            target="above chance",
            baseline=f"chance {10 * chance:.4f}",
        ),
    ]


def _curve(data: Path, seed: int) -> list[Mapping[str, float]]:
    source = {"source": "omniglot", "root": str(data / "omniglot"), "turned_classes": True}
    config = Config.model_validate({**RECIPE, "data": source})
    return [measurement.metrics for measurement in train(config, TrialContext(seed=seed))]


def _result(what: str, values: Sequence[float], *, target: str, baseline: str) -> Result:
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    value = float(np.mean(values))
    return Result(what, value, value - half, value + half, len(values), target, baseline)
