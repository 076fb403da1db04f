"""The stock side, one script in the idiom of Ray's documentation: OptunaSearch, MLflowLoggerCallback, Tuner.restore.

`python -m benchmarks.stock_faults.stock '<question as JSON>'` starts the sweep, or restores it when it can be restored.
With `--again` it makes a new Tuner for the trials that are missing on the same Optuna study, as one does who cannot
restore.
"""

import json
import sys
import tempfile
from pathlib import Path

import optuna
import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.stock_faults.question import Question
from benchmarks.stock_faults.toy import METRIC, Config, epoch_of

NAME = "stock"


def trainable(config: dict[str, object]) -> None:
    """Report each epoch with a checkpoint, start from the last one."""
    typed = Config.model_validate(config)
    done = 0
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as folder:
            done = json.loads((Path(folder) / "state.json").read_text())["epoch"]
    for epoch in range(done + 1, typed.epochs + 1):
        value = epoch_of(typed, epoch)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "state.json").write_text(json.dumps({"epoch": epoch}))
            tune.report({METRIC: value, "epoch": epoch}, checkpoint=tune.Checkpoint.from_directory(folder))


def new_tuner(question: Question, *, trials: int) -> tune.Tuner:
    """A sweep as a careful user sets it up: retries, a persistent study, at most two at a time."""
    storage = optuna.storages.RDBStorage(study_url(question)) if question.in_storage else None
    return tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"x": tune.uniform(0.0, 1.0), **question.config},
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=trials,
            max_concurrent_trials=2,
            time_budget_s=question.deadline_s,
            reuse_actors=True,
            search_alg=OptunaSearch(seed=0, storage=storage, study_name=NAME),
            scheduler=ASHAScheduler(max_t=question.epochs, grace_period=1, reduction_factor=2)
            if question.asha
            else None,
        ),
        run_config=tune.RunConfig(
            name=NAME,
            storage_path=str(Path(question.folder) / "ray"),
            callbacks=[MLflowLoggerCallback(tracking_uri=question.tracking, experiment_name=NAME)],
            failure_config=tune.FailureConfig(max_failures=3),
            verbose=0,
        ),
    )


def study_url(question: Question) -> str:
    """Where the persistent Optuna study is."""
    return f"sqlite:///{question.folder}/optuna.db"


def main() -> None:
    """Start, restore or start again, and print the best, as the documentation's examples do."""
    question = Question(**json.loads(sys.argv[1]))
    path = Path(question.folder) / "ray" / NAME
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    if "--again" in sys.argv:
        told = optuna.load_study(study_name=NAME, storage=study_url(question)).get_trials(
            states=[optuna.trial.TrialState.COMPLETE]
        )
        tuner = new_tuner(question, trials=question.trials - len(told))
    elif tune.Tuner.can_restore(str(path)):
        tuner = tune.Tuner.restore(str(path), trainable=trainable, resume_errored=True)
    else:
        tuner = new_tuner(question, trials=question.trials)
    results = tuner.fit()
    print(results.get_best_result(METRIC, "max").metrics)


if __name__ == "__main__":
    main()
