"""`RunStore`: the few things that Orch asks of MLflow, and where it is told to be quiet.

The shipping process calls it; MLflow is imported there (about a second), never in a driver.
Everything that belongs to a sweep is found by tag, so that nothing is created twice.
"""

import fcntl
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.tracking.delta import RunDelta, batches, mlflow_name
from orchestrator.tracking.operations import LogArtifact, LogText
from orchestrator.tracking.outbox import Identity
from orchestrator.tracking.uri import is_server
from orchestrator.trial import RunStatus

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

_PAGE = 1000
_PERMANENT_CODES = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS")


class StoreError(Exception):
    """The store is not in a state that can be used; trying again later may help."""


def connect(identity: Identity, tracking_uri: str) -> "RunStore":
    """Open the store, make its schema and the experiment where they are missing.

    Raises: any error of MLflow, none of them for good.
    """
    configure()
    from mlflow.tracking import MlflowClient

    with schema_lock(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        location = None if is_server(tracking_uri) else identity.artifacts.resolve().as_uri()
        experiment_id = _experiment(client, identity.experiment, location=location)
    return RunStore(client, identity, experiment_id)


def is_permanent(error: Exception) -> bool:
    """Whether sending the same thing again can not help: MLflow refused it, or a local file is not readable."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in _PERMANENT_CODES
    if (response := getattr(error, "response", None)) is not None:  # of requests, when uploading an artifact
        return 400 <= response.status_code < 500 and response.status_code not in (401, 403, 408, 429)
    return isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError)


class RunStore:
    """The runs of one sweep in one MLflow store."""

    def __init__(self, client: "MlflowClient", identity: Identity, experiment_id: str) -> None:
        self._client = client
        self._identity = identity
        self._experiment_id = experiment_id

    def runs(self) -> dict[int | None, str]:
        """Trial number, or None for the sweep, to run id, looked for by tag; the oldest, should there be several."""
        found: dict[int | None, str] = {}
        for run in search(self._client, self._experiment_id, f"tags.`orch.sweep_id` = '{self._identity.sweep_id}'"):
            number = trial_of(run)
            if number is not None or run.data.tags.get("orch.kind") == "sweep":
                found.setdefault(number, str(run.info.run_id))
        return found

    def find_above(self) -> str | None:
        """The run under which the sweep's own run belongs; None for the top, or where that run is not known here."""
        above = self._identity.parent_sweep_id
        if above is None:
            return None
        query = f"tags.`orch.sweep_id` = '{above}' and tags.`orch.kind` = 'sweep'"
        return next((str(run.info.run_id) for run in search(self._client, self._experiment_id, query)), None)

    def create(self, number: int | None, *, name: str, start_ms: int, parent_id: str | None) -> str:
        """Create a run with the tags by which `runs` will find it."""
        tags = {"orch.sweep": self._identity.sweep, "orch.sweep_id": self._identity.sweep_id}
        if number is None:
            tags["orch.kind"] = "sweep"
        else:
            tags |= {"orch.kind": "trial", "orch.trial": str(number)}
        if parent_id is not None:
            tags["mlflow.parentRunId"] = parent_id
        run = self._client.create_run(self._experiment_id, start_time=start_ms, tags=tags, run_name=name)
        return str(run.info.run_id)

    def check(self, run_id: str) -> None:
        """Raise unless the run exists here: the guard against shipping into another store, or one that was emptied."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise StoreError(
                f"run {run_id} is not in this MLflow store: is it the right one? If it is, make the runs anew with "
                f"orch sync {self._identity.sweep} --all"
            ) from error

    def apply(self, run_id: str, delta: RunDelta, *, created: bool) -> None:
        """Send all that is new about a run. Sending it twice has the same effect as once."""
        from mlflow.entities import Metric, Param, RunTag

        if delta.start and not created:
            delta = self._without_known_params(run_id, delta)
        for batch in batches(delta):
            self._client.log_batch(
                run_id,
                metrics=[Metric(p.name, p.value, p.at_ms, p.step) for p in batch.points],
                params=[Param(name, text) for name, text in batch.params.items()],
                tags=[RunTag(name, text) for name, text in batch.tags.items()],
            )
        for file in delta.files:
            self._send_file(run_id, file)
        self._set_status(run_id, delta, created=created)

    def _without_known_params(self, run_id: str, delta: RunDelta) -> RunDelta:
        """MLflow refuses to change a param: a value that differs after a resume, such as a larger budget, is a tag."""
        known = self._client.get_run(run_id).data.params
        new = {name: text for name, text in delta.params.items() if mlflow_name(name) not in known}
        changed = {
            f"orch.now.{name}": text
            for name, text in delta.params.items()
            if known.get(mlflow_name(name), text) != text
        }
        return RunDelta(
            delta.start, delta.points, new, {**delta.tags, **changed}, delta.files, delta.status, delta.end_ms
        )

    def _send_file(self, run_id: str, file: LogText | LogArtifact) -> None:
        if isinstance(file, LogText):
            self._client.log_text(run_id, file.text, file.artifact_file)
        elif Path(file.path).is_dir():
            self._client.log_artifacts(run_id, file.path, file.artifact_path or None)
        elif Path(file.path).is_file():
            self._client.log_artifact(run_id, file.path, file.artifact_path or None)
        else:
            raise FileNotFoundError(f"{file.path} is neither a file nor a folder")

    def _set_status(self, run_id: str, delta: RunDelta, *, created: bool) -> None:
        if delta.status is RunStatus.RUNNING and not created:
            self._client.update_run(run_id, status=delta.status.value)
        elif delta.status is not None and delta.status is not RunStatus.RUNNING:
            self._client.set_terminated(run_id, delta.status.value, delta.end_ms)


def configure() -> None:
    """Tell MLflow to be quiet and quick to give up; comes before Orch imports it.

    Its own retries are off: they repeat `create_run`, which makes a second run when only the reply was lost, and
    they block for minutes. The shipper tries again instead, after a look for the run.
    """
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    warnings.filterwarnings("ignore", module=r"(mlflow|sqlalchemy|alembic)\b")  # the live table owns the terminal
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    logging.getLogger("mlflow").setLevel(os.environ["MLFLOW_LOGGING_LEVEL"].upper())  # imported already?


def _experiment(client: "MlflowClient", name: str, *, location: str | None) -> str:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException as error:  # another sweep was quicker
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            experiment = client.get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        raise StoreError(f"the experiment {name!r} has been deleted in MLflow: restore it, or choose another name")
    return str(experiment.experiment_id)


def search(client: "MlflowClient", experiment_id: str, query: str) -> Iterator["Run"]:
    """All runs to which the query applies, oldest first; deleted ones are not among them."""
    order, token = ["attributes.start_time ASC"], None
    while True:
        page = client.search_runs([experiment_id], query, max_results=_PAGE, order_by=order, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def trial_of(run: "Run") -> int | None:
    """The number of a run's trial; None for the run of the sweep itself."""
    number = run.data.tags.get("orch.trial", "")
    return int(number) if number.isdigit() else None


def database_file(tracking_uri: str) -> Path | None:
    """The file of a SQLite store; None for any other."""
    scheme, _, path = tracking_uri.partition(":///")
    return Path(path) if scheme.startswith("sqlite") and path else None


@contextmanager
def schema_lock(tracking_uri: str) -> Iterator[None]:
    """Let one process at a time open a SQLite store: two that make the schema at once break it."""
    database = database_file(tracking_uri)
    if database is None:
        yield
        return
    lock = Path(f"{database}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
