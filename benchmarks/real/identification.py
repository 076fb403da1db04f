"""ECG-ID, people whom the model has never seen: Rank@1 among 30 of them, and across days with everybody in the gallery.

The settings in RECIPE were chosen on split seeds 100 to 104; the figures are from other seeds. There are 90 people in
all, so that the same people occur in both, split in other ways. The last epoch counts, nothing is picked by val.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.real.result import Result
from trainables.contract import TrialContext
from trainables.tasks.identification.config import Config
from trainables.tasks.identification.task import train

RECIPE = {
    "epochs": 4,
    "batches_per_epoch": 150,
    "people_per_batch": 24,
    "augment": {"windows_per_item": 16, "wander": 0.3},
}
SPLIT_SEEDS = tuple(range(10))
SHUFFLES = (0, 1, 2)
NUM_FOLDS = 3


@dataclass(frozen=True, slots=True)
class _Run:
    """First and last measurement of one trial: the raw beats are measured in the first."""

    first: dict[str, float]
    last: dict[str, float]

    def trained(self, name: str) -> float:
        return self.last[f"val/{name}"]

    def raw(self, name: str) -> float:
        return self.first[f"val/raw_{name}"]


def measure(data: Path) -> list[Result]:
    """Train 10 splits with 30 unseen people, and 3 times 3 folds that cover all 90."""
    splits = [_run(data, seed=seed) for seed in SPLIT_SEEDS]
    folds = [[_run(data, seed=seed, fold=fold, gallery="all") for fold in range(NUM_FOLDS)] for seed in SHUFFLES]
    name = "rank_at_1"
    gains = [run.trained(name) - run.raw(name) for run in splits]
    raw = float(np.mean([run.raw(name) for run in splits]))
    return [
        _result(
            "Rank@1, 30 unseen people, mean over splits",
            [run.trained(name) for run in splits],
            target="above the raw beats and .92, aim .95",
            baseline=f"raw median beats {raw:.3f}, untrained {np.mean([r.first['val/rank_at_1'] for r in splits]):.3f}",
        ),
        _result("the same less that of the raw beats, by split", gains, target="above 0", baseline="0"),
        *[_pooled(folds, protocol) for protocol in ("", "_cross_day")],
    ]


def _run(data: Path, *, seed: int, fold: int = 0, gallery: str = "val") -> _Run:
    source = {"source": "ecg_id", "root": str(data / "ecg-id"), "split_seed": seed, "fold": fold}
    config = Config.model_validate({**RECIPE, "data": source, "evaluation": {"gallery": gallery}})
    measurements = list(train(config, TrialContext(seed=seed)))
    return _Run(first=dict(measurements[0].metrics), last=dict(measurements[-1].metrics))


def _pooled(folds: Sequence[Sequence[_Run]], protocol: str) -> Result:
    """All valid queries of the 90 people, each ranked by a model that has not seen its person, against all records."""
    name = f"rank_at_1{protocol}"

    def pool(runs: Sequence[_Run], values: Sequence[float]) -> float:
        return float(np.average(values, weights=[run.trained(f"num_queries{protocol}") for run in runs]))

    trained = [pool(runs, [run.trained(name) for run in runs]) for runs in folds]
    raw = pool(folds[0], [run.raw(name) for run in folds[0]])
    num = sum(run.trained(f"num_queries{protocol}") for run in folds[0])
    what = "another day" if protocol else "any record"
    return _result(
        f"Rank@1, {what}, all {num:.0f} queries by 3-fold cross-validation over people, gallery of all 310 records",
        trained,
        target=f"above the raw beats, {raw:.3f} here" + (" and .778 as published" if protocol else ""),
        baseline=f"raw median beats {raw:.3f}",
    )


def _result(what: str, values: Sequence[float], *, target: str, baseline: str) -> Result:
    mean, error = float(np.mean(values)), float(stats.sem(values))
    reach = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return Result(
        what=what,
        value=mean,
        low=mean - reach,
        high=mean + reach,
        num=len(values),
        target=target,
        baseline=baseline,
    )
