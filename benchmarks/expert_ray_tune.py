"""The benchmark's hardest other side: the sweep as somebody writes it who knows Ray Tune well.

A class trainable with `reuse_actors`, OptunaSearch, ASHA, MLflowLoggerCallback on sqlite, Tune's own loggers off and no
snapshots of the experiment: only what Ray documents. Prints one JSON line: `expert_s`, wall seconds from after
`ray.init` to the end of `fit`, and `train_s`, seconds spent in epochs.
"""

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "1000000000")

import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.ray_scripts import parser, print_figures
from benchmarks.workload import METRIC, SPACE


class Workload(tune.Trainable):
    """One epoch a step; the actor, and torch in it, serves the next trial too."""

    def setup(self, config: dict[str, Any]) -> None:
        """Import what is slow to import, once an actor."""
        import torch

        from benchmarks.workload import Config

        torch.set_num_threads(1)
        self._make = Config.model_validate
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in this actor."""
        self._config, self._epoch, self._train_s = self._make(new_config), 0, 0.0
        return True

    def step(self) -> dict[str, Any]:
        """Train an epoch and measure."""
        from benchmarks.workload import burn, metrics_at

        start = time.perf_counter()
        burn(self._config.epoch_s)
        self._epoch += 1
        metrics = metrics_at(self._config, self._epoch)
        self._train_s += time.perf_counter() - start
        done = self._epoch >= self._config.epochs
        return {**metrics, "total_train_s": self._train_s, "done": done}


def run(folder: Path, *, trials: int, epochs: int, epoch_s: float, concurrent: int) -> dict[str, float]:
    """Run the sweep on a fresh local Ray; the MLflow store and Ray's results go to `folder`."""
    space = {name: getattr(tune, kind)(*bounds) for name, (kind, *bounds) in SPACE.items()}
    callback = MLflowLoggerCallback(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="expert", save_artifact=False
    )
    tuner = tune.Tuner(
        tune.with_resources(Workload, {"cpu": 1}),
        param_space={**space, "epochs": epochs, "epoch_s": epoch_s},
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=trials,
            max_concurrent_trials=concurrent,
            search_alg=OptunaSearch(seed=0),
            scheduler=ASHAScheduler(max_t=epochs, grace_period=2, reduction_factor=3),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="expert",
            storage_path=str(folder / "ray"),
            callbacks=[callback],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    root = str(Path(__file__).resolve().parent.parent)
    ray.init(
        address="local", num_cpus=concurrent, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": root}}
    )
    start = time.perf_counter()
    results = tuner.fit()
    expert_s = time.perf_counter() - start
    ray.shutdown()
    train_s = sum((result.metrics or {}).get("total_train_s", 0.0) for result in results)
    failed = [result.error for result in results if result.error is not None]
    assert not failed, failed[0]
    return {"expert_s": round(expert_s, 2), "train_s": round(train_s, 2), "trials": len(results)}


def main() -> None:
    """Parse the command line and print the figures."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--epoch-s", type=float, default=0.1)
    print_figures(run, options.parse_args())


if __name__ == "__main__":
    main()
