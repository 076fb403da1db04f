"""What MLflow has of a sweep, as plain data, for whoever compares it with the ledger. Changes nothing.

Runs are looked for by tag, so that one that was made twice or by hand is seen as well. Deleted runs are not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.errors import InfrastructureError
from orchestrator.tracking.store import configure, database_file, schema_lock
from orchestrator.tracking.uri import redact
from orchestrator.trial import RunStatus

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

_PAGE = 1000
PARENT_TAG = "mlflow.parentRunId"

History = tuple[tuple[int, int, float], ...]
"""A metric's points as (step, Unix milliseconds, value) in that order; MLflow keeps an infinity as +-1.797e308."""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run.

    Attributes:
        trial: the trial's number; None for the run of the sweep itself.
        parent: the run under which it stands, None at the top.
        end_ms: None while MLflow takes it to be running.
        histories: metric, under MLflow's name for it, to its points; empty unless they were asked for.
    """

    run_id: str
    trial: int | None
    status: RunStatus
    tags: Mapping[str, str]
    params: Mapping[str, str]
    parent: str | None
    start_ms: int
    end_ms: int | None
    histories: Mapping[str, History] = field(default_factory=dict)


def read_runs(identity_sweep_id: str, *, experiment: str, tracking_uri: str, histories: bool) -> list[RunView]:
    """All runs that bear the sweep's id, oldest first: its own, and one or, after a mishap, several of each trial.

    `histories` costs one request for each metric of each run.

    Raises:
        InfrastructureError: MLflow cannot be reached, or there is no store.
    """
    database = database_file(tracking_uri)
    if database is not None and not database.is_file():
        raise InfrastructureError(f"there is no MLflow store at {database}")
    configure()
    # Whatever MLflow or its server raises, it has the one meaning that it cannot be asked.
    try:
        return _read(identity_sweep_id, experiment, tracking_uri, histories=histories)
    except Exception as error:
        what = redact(" ".join(f"{type(error).__name__}: {error}".split()))
        raise InfrastructureError(f"the MLflow at {redact(tracking_uri)} cannot be read: {what}") from error


def _read(sweep_id: str, experiment: str, tracking_uri: str, *, histories: bool) -> list[RunView]:
    from mlflow.tracking import MlflowClient

    with schema_lock(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    runs = list(_search(client, str(found.experiment_id), sweep_id))
    return [_view(run, _histories(client, run) if histories else {}) for run in runs]


def _search(client: "MlflowClient", experiment_id: str, sweep_id: str) -> Iterator["Run"]:
    query, order, token = f"tags.`orch.sweep_id` = '{sweep_id}'", ["attributes.start_time ASC"], None
    while True:
        page = client.search_runs([experiment_id], query, max_results=_PAGE, order_by=order, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _histories(client: "MlflowClient", run: "Run") -> dict[str, History]:
    run_id = run.info.run_id
    return {
        name: tuple(sorted((p.step, p.timestamp, p.value) for p in client.get_metric_history(run_id, name)))
        for name in run.data.metrics
    }


def _view(run: "Run", histories: Mapping[str, History]) -> RunView:
    tags = dict(run.data.tags)
    number = tags.get("orch.trial", "")
    return RunView(
        run_id=str(run.info.run_id),
        trial=int(number) if number.isdigit() else None,
        status=RunStatus(run.info.status),
        tags=tags,
        params=dict(run.data.params),
        parent=tags.get(PARENT_TAG),
        start_ms=run.info.start_time,
        end_ms=run.info.end_time,
        histories=histories,
    )
