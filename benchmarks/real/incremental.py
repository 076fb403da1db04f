"""`incremental` on Omniglot: 100 characters in 10 steps, 15 drawers to learn from and 5 others to be judged on.

Each seed has its own class order, start and batches; the 100 characters are the same. Intervals are Student's t.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.real.result import Result
from trainables.contract import TrialContext
from trainables.tasks.incremental.config import Config
from trainables.tasks.incremental.task import train

SEEDS = (1993, 1, 2)
SETTING = "Omniglot, 100 classes in 10 steps, 5 exemplars a class"
RECOMMENDED = {
    "loss_weights": {"nce": 1.0, "ant": 1.0, "gap": 0.5},
    "margin": {"kind": "gap_adaptive", "start": 0.1, "end": 0.5},
}


def measure(data: Path) -> Iterator[Result]:
    """Last, Avg and forgetting of InfoNCE, and what the note's recommendation changes, seed by seed."""
    plain = [_run(data, seed, {}) for seed in SEEDS]
    raw = f"raw pixels of all classes at once {plain[0]['raw']:.3f}, joint training without warps .83"
    yield _result(f"Last, {SETTING}", [run["last"] for run in plain], target="at least .71", baseline=raw)
    yield _result("Avg", [run["average"] for run in plain])
    yield _result("forgetting", [run["forgetting"] for run in plain], baseline="0")
    note = [_run(data, seed, RECOMMENDED) for seed in SEEDS]
    yield _result(
        "Last, adaptive margin and gap loss minus InfoNCE alone",
        [ours["last"] - base["last"] for ours, base in zip(note, plain, strict=True)],
        target="note 003 expects +.02 to +.03",
        baseline="0",
    )
    few = [_run(data, seed, {"memory": {"per_class": 2}}) for seed in SEEDS]
    yield _result("Last, 2 exemplars a class", [run["last"] for run in few], target="at least .59", baseline=raw)


def _run(data: Path, seed: int, fields: dict[str, object]) -> dict[str, float]:
    config = Config.model_validate(
        {
            "epochs_per_step": 10,
            "optimizer": {"lr": 2e-3},
            "warp": 0.1,
            "sizes": {"width": 32},
            "stream": {"num_steps": 10, "class_order_seed": seed},
            "memory": {"per_class": 5},
            "data": {"source": "omniglot", "root": str(data / "omniglot")},
            **fields,
        }
    )
    first, *_, last = train(config, TrialContext(seed=seed))
    return {
        "last": last.metrics["val/last_accuracy"],
        "average": last.metrics["val/average_accuracy"],
        "forgetting": last.metrics["val/forgetting"],
        "raw": first.metrics["val/raw_accuracy"],
    }


def _result(what: str, values: Sequence[float], *, target: str = "", baseline: str = "") -> Result:
    mean = float(np.mean(values))
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return Result(
        what=what, value=mean, low=mean - half, high=mean + half, num=len(values), target=target, baseline=baseline
    )
