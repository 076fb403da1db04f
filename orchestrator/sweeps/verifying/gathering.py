"""Gathering the evidence of one sweep from ledger, MLflow, disk and processes. Changes nothing.

Who drives is asked first: a sweep that ends meanwhile still counts as running. MLflow is read before the ledger, which
is written before it: MLflow never knows more.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.study import Ledger, SweepRecord
from orchestrator.study.redrafting import Redraft, redrafted
from orchestrator.study.stored import StoredTrial, stored_trials, sweep_text
from orchestrator.sweeps.lock import driver_of
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.read import open_storage
from orchestrator.sweeps.telling import EXPERIMENT
from orchestrator.sweeps.verifying.disk import look_at_disk
from orchestrator.sweeps.verifying.evidence import Evidence
from orchestrator.sweeps.verifying.leaks import Leak, leaks_in_files, leaks_in_texts, search_for
from orchestrator.sweeps.verifying.parameters import why_not_redrafted
from orchestrator.sweeps.verifying.told import Told
from orchestrator.sweeps.verifying.workers import workers_left
from orchestrator.tracking.outbox import backlog_of
from orchestrator.tracking.reading import read_runs


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is looked at.

    Attributes:
        mlflow: read the runs.
        replay: draft the trials of a sequential sweep again.
        environment: variables whose secrets are searched for in what the sweep wrote.
    """

    mlflow: bool = True
    replay: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


def gather(home: Home, reference: str, scope: Scope) -> Evidence:
    """All evidence.

    Raises:
        SweepNotFoundError
        InfrastructureError: the ledger or MLflow cannot be read.
    """
    with closing(open_storage(home)) as storage:
        found = storage.find(reference)
        paths = home.sweep(found.id)
        driver = driver_of(storage, found, paths)
        backlog = backlog_of(paths.outbox)
        told = _told(home, found, scope)
        ledger = storage.open(reference)
        record, trials, stored = ledger.sweep, ledger.records(), stored_trials(ledger)
        return Evidence(
            record=record,
            trials=trials,
            stored=stored,
            limit=ledger.limit,
            driver=None if driver is None else driver.words,
            lease=None if driver is not None else storage.lease(found.id),
            redrafts=_redrafts(ledger, scope),
            disk=look_at_disk(paths, trials),
            workers=() if driver else workers_left(record.id),
            leaks=_leaks(
                scope, [("the ledger", sweep_text(ledger)), *_texts(stored, told)], _folders(home, paths, told)
            ),
            backlog=backlog,
            told=told,
        )


def _told(home: Home, record: SweepRecord, scope: Scope) -> Told | str:
    if not scope.mlflow:
        return "--no-mlflow"
    uri = home.tracking_of(record.tracking_uri)
    return Told(read_runs(record.id, experiment=EXPERIMENT, tracking_uri=uri, histories=True))


def _redrafts(ledger: Ledger, scope: Scope) -> list[Redraft] | str:
    if not scope.replay:
        return "--no-replay"
    return why_not_redrafted(ledger.sweep, ledger.records()) or list(redrafted(ledger))


def _texts(stored: Iterable[StoredTrial], told: Told | str) -> list[tuple[str, str]]:
    """What ledger and MLflow hold as text, each with its place."""
    texts = [(f"the ledger, trial {trial.number}", trial.text) for trial in stored]
    for run in () if isinstance(told, str) else told.runs:
        written = "\n".join(f"{key} {value}" for key, value in {**run.params, **run.tags}.items())
        texts.append((f"MLflow, run {run.run_id}", written))
    return texts


def _folders(home: Home, paths: SweepPaths, told: Told | str) -> list[Path]:
    """Where the sweep's files are; artifacts that a server keeps are not seen."""
    runs = () if isinstance(told, str) else told.runs
    return [paths.folder, paths.storage, *(home.artifacts / run.run_id for run in runs)]


def _leaks(scope: Scope, texts: Iterable[tuple[str, str]], folders: Sequence[Path]) -> list[Leak]:
    search = search_for(scope.environment)
    return leaks_in_texts(search, texts) + leaks_in_files(search, folders)
