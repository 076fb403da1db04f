"""What is left of a sweep after a fault, counted the same way on both sides: diary, own record, Optuna, MLflow."""

import math
from collections import Counter
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import optuna
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from benchmarks.stock_faults.question import Question
from benchmarks.stock_faults.toy import METRIC, score


@dataclass(frozen=True)
class Epoch:
    """One line of the diary: an epoch that was trained."""

    x: float
    number: int
    at_s: float


@dataclass(frozen=True)
class Recorded:
    """A trial as the side's own record has it at the end: Tune's experiment state, Orch's ledger."""

    x: float
    ended: bool


@dataclass(frozen=True)
class Places:
    """Where a side keeps what is counted; `study_url` is None when Optuna's study is in memory."""

    study: str
    study_url: str | None
    experiment: str
    trial_tag: str


@dataclass(frozen=True)
class Counts:
    """The figures of one run; the words of the table are in `MEANINGS`."""

    exit_codes: str
    recorded: int
    unended: int
    lost: int
    twice: int
    again: int
    after_nan: int
    repeated: int
    optuna_running: int | None
    optuna_wrong: int | None
    runs: int
    doubled_runs: int
    running_runs: int
    orphan_runs: int
    points: int
    gap_s: float


MEANINGS = {
    "exit_codes": "exit codes: of the command that was hit, and of the one that goes on",
    "recorded": "trials that its own record has at the end",
    "unended": "of these, trials without an ending",
    "lost": "trials that had trained to their last epoch before the fault and are not in the record at the end",
    "twice": "trials whose last epoch was trained more than once",
    "again": "epochs that were trained more than once",
    "after_nan": "epochs that were trained after a trial's first NaN",
    "repeated": "trials with the parameters of an earlier trial",
    "optuna_running": "Optuna trials that stay RUNNING",
    "optuna_wrong": "Optuna trials that are COMPLETE with another value than that of all epochs",
    "runs": "MLflow runs of trials",
    "doubled_runs": "of these, second runs of a trial",
    "running_runs": "of these, runs that stay RUNNING",
    "orphan_runs": "of these, runs without a parent run",
    "points": "trained epochs whose value is in MLflow",
    "gap_s": "longest time without a trained epoch, seconds",
}
assert set(MEANINGS) == {f.name for f in fields(Counts)}


def diary(question: Question) -> list[Epoch]:
    """The epochs that were trained so far."""
    if not question.diary.exists():
        return []
    lines = [line.split() for line in question.diary.read_text().splitlines()]
    return [Epoch(float(x), int(number), float(at_s)) for x, number, at_s, _ in lines]


def count(
    question: Question,
    places: Places,
    record: list[Recorded],
    *,
    exit_codes: list[str],
    before: list[Epoch],
) -> Counts:
    """Count it all; `before` is the diary at the moment of the fault."""
    trained = Counter((epoch.x, epoch.number) for epoch in diary(question))
    ended_before = {epoch.x for epoch in before if epoch.number == question.epochs}
    told = _told(places)
    runs = _runs(question, places)
    by_trial = Counter(run.trial for run in runs)
    xs = [trial.params["x"] for trial in told] if told is not None else [trial.x for trial in record]
    return Counts(
        exit_codes=", ".join(exit_codes),
        recorded=len(record),
        unended=sum(not trial.ended for trial in record),
        lost=len(ended_before - {trial.x for trial in record if trial.ended}),
        twice=sum(times > 1 for (_, epoch), times in trained.items() if epoch == question.epochs),
        again=sum(times - 1 for times in trained.values()),
        after_nan=sum(x > question.nan_above and epoch > 1 for x, epoch in trained),
        repeated=len(xs) - len(set(xs)),
        optuna_running=None if told is None else sum(t.state is optuna.trial.TrialState.RUNNING for t in told),
        optuna_wrong=None if told is None else sum(_is_wrong(trial, question) for trial in told),
        runs=len(runs),
        doubled_runs=sum(times - 1 for times in by_trial.values()),
        running_runs=sum(run.status == "RUNNING" for run in runs),
        orphan_runs=sum(run.parent is None for run in runs),
        points=len({(run.trial, step) for run in runs for step in run.steps if step > 0}),
        gap_s=round(_gap_s(question), 1),
    )


def _told(places: Places) -> list[optuna.trial.FrozenTrial] | None:
    if places.study_url is None:
        return None
    names = optuna.get_all_study_names(places.study_url)
    return optuna.load_study(study_name=places.study, storage=places.study_url).trials if places.study in names else []


def _is_wrong(trial: optuna.trial.FrozenTrial, question: Question) -> bool:
    if trial.state is not optuna.trial.TrialState.COMPLETE or trial.value is None:
        return False
    right = score(trial.params["x"], question.epochs, epochs=question.epochs)
    return not math.isclose(trial.value, right, rel_tol=1e-9)


@dataclass(frozen=True)
class _Run:
    """One MLflow run of a trial, deleted or not."""

    trial: str
    status: str
    parent: str | None
    steps: tuple[int, ...]


def _runs(question: Question, places: Places) -> list[_Run]:
    client = MlflowClient(tracking_uri=question.tracking)
    experiment = client.get_experiment_by_name(places.experiment)
    if experiment is None:
        return []
    found = client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1000)
    return [
        _Run(
            run.data.tags[places.trial_tag],
            run.info.status,
            run.data.tags.get("mlflow.parentRunId"),
            tuple(metric.step for metric in client.get_metric_history(run.info.run_id, METRIC)),
        )
        for run in found
        if places.trial_tag in run.data.tags
    ]


def _gap_s(question: Question) -> float:
    times = sorted(epoch.at_s for epoch in diary(question))
    return max((after - before for before, after in pairwise(times)), default=0.0)


def tear(path: Path) -> None:
    """Cut a file in half, as a write that a power cut ended."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size // 2)
