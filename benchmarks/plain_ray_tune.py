"""The benchmark's other side: the sweep as a plain Ray Tune script, in the idiom of Ray's own documentation.

Function trainable, OptunaSearch, ASHAScheduler, MLflowLoggerCallback on sqlite. Prints one JSON line:
`plain_s`, wall seconds from after `ray.init` to the end of `fit`, and `train_s`, seconds spent in epochs.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

METRIC = "val/recall_at_1"


def trainable(config: dict[str, float]) -> None:
    """What a user writes: import torch, train, report each epoch."""
    from benchmarks.workload import train_function

    total = 0.0

    def report(metrics: dict[str, float]) -> None:
        nonlocal total
        total += metrics["train_s"]
        tune.report({**metrics, "total_train_s": total})

    train_function(config, report)


def run(folder: Path, *, trials: int, epochs: int, epoch_s: float, concurrent: int) -> dict[str, float]:
    """Run the sweep on a fresh local Ray; the MLflow store and Ray's results go to `folder`."""
    space = {
        "lr": tune.loguniform(1e-5, 1e-2),
        "weight_decay": tune.loguniform(1e-6, 1e-2),
        "temperature": tune.uniform(0.03, 0.3),
        "margin": tune.uniform(0.0, 0.6),
        "epochs": epochs,
        "epoch_s": epoch_s,
    }
    callback = MLflowLoggerCallback(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="plain", save_artifact=False
    )
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=trials,
            max_concurrent_trials=concurrent,
            search_alg=OptunaSearch(seed=0),
            scheduler=ASHAScheduler(max_t=epochs, grace_period=2, reduction_factor=3),
        ),
        run_config=tune.RunConfig(name="plain", storage_path=str(folder / "ray"), callbacks=[callback], verbose=0),
    )
    root = str(Path(__file__).resolve().parent.parent)
    ray.init(num_cpus=concurrent, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": root}})
    start = time.perf_counter()
    results = tuner.fit()
    plain_s = time.perf_counter() - start
    ray.shutdown()
    train_s = sum((result.metrics or {}).get("total_train_s", 0.0) for result in results)
    return {"plain_s": round(plain_s, 2), "train_s": round(train_s, 2), "trials": len(results)}


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--epoch-s", type=float, default=0.1)
    parser.add_argument("--concurrent", type=int, default=2)
    options = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with tempfile.TemporaryDirectory(prefix="plain-ray-tune-") as folder:
        figures = run(Path(folder), **vars(options))
    json.dump(figures, sys.stdout)
    print()


if __name__ == "__main__":
    main()
