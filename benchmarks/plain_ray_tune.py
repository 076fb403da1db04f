"""The benchmark's other side: the sweep as a plain Ray Tune script, in the idiom of Ray's own documentation.

Function trainable, OptunaSearch, ASHAScheduler, MLflowLoggerCallback on sqlite. Prints one JSON line:
`plain_s`, wall seconds from after `ray.init` to the end of `fit`, and `train_s`, seconds spent in epochs.
"""

import argparse
import importlib
import time
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.ray_scripts import parser, print_figures


def trainable(config: dict[str, Any]) -> None:
    """What a user writes: import torch, train, report each epoch."""
    work = importlib.import_module(config.pop("work"))
    total = 0.0

    def report(metrics: dict[str, float]) -> None:
        nonlocal total
        total += metrics["train_s"]
        tune.report({**metrics, "total_train_s": total})

    work.train_function(config, report)


def run(
    folder: Path, *, work: str, trials: int, epochs: int, first_rung: int, concurrent: int, **config: float
) -> dict:
    """Run the sweep on a fresh local Ray; the MLflow store and Ray's results go to `folder`."""
    module = importlib.import_module(work)
    space = {name: getattr(tune, kind)(*bounds) for name, (kind, *bounds) in module.SPACE.items()}
    callback = MLflowLoggerCallback(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="plain", save_artifact=False
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={**space, **config, "work": work, "epochs": epochs},
        tune_config=tune.TuneConfig(
            metric=module.METRIC,
            mode="max",
            num_samples=trials,
            max_concurrent_trials=concurrent,
            search_alg=OptunaSearch(seed=0),
            scheduler=ASHAScheduler(max_t=epochs, grace_period=first_rung, reduction_factor=3),
        ),
        run_config=tune.RunConfig(name="plain", storage_path=str(folder / "ray"), callbacks=[callback], verbose=0),
    )
    root = str(Path(__file__).resolve().parent.parent)
    ray.init(
        address="local", num_cpus=concurrent, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": root}}
    )
    start = time.perf_counter()
    results = tuner.fit()
    plain_s = time.perf_counter() - start
    ray.shutdown()
    train_s = sum((result.metrics or {}).get("total_train_s", 0.0) for result in results)
    return {"plain_s": round(plain_s, 2), "train_s": round(train_s, 2), "trials": len(results)}


def main() -> None:
    """Parse the command line and print the figures."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--work", default="benchmarks.workload", help="a module with SPACE, METRIC and train_function")
    options.add_argument("--first-rung", type=int, default=2, help="the epochs of a trial before it can be pruned")
    options.add_argument("--epoch-s", type=float, default=argparse.SUPPRESS, help="of benchmarks.workload")
    print_figures(run, options.parse_args())


if __name__ == "__main__":
    main()
