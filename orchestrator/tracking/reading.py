"""What MLflow has of a sweep, as plain data, for whoever compares it with the ledger. Changes nothing.

Runs are looked for by tag, so that one that was made twice or by hand is seen as well. Deleted runs are not.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.errors import InfrastructureError
from orchestrator.tracking.store import configure, database_file, schema_lock, search, trial_of
from orchestrator.tracking.uri import redact
from orchestrator.trial import RunStatus

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run
    from mlflow.tracking import MlflowClient

_RUNS_AT_ONCE = 500
_ALL = 10**9
_REQUESTS_AT_ONCE = 8
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

    `histories` costs a database one query for each metric, and a server one request for each metric of each run.

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
    runs = list(search(client, str(found.experiment_id), f"tags.`orch.sweep_id` = '{sweep_id}'"))
    points = _histories(client, runs) if histories else {}
    return [_view(run, points.get(run.info.run_id, {})) for run in runs]


def _histories(client: "MlflowClient", runs: Sequence["Run"]) -> dict[str, dict[str, History]]:
    """Run to metric to points. A database is asked for many runs at once, a server for each by itself."""
    found: dict[str, dict[str, History]] = {run.info.run_id: {} for run in runs}
    store = client._tracking_client.store
    for name in sorted({name for run in runs for name in run.data.metrics}):
        having = [run.info.run_id for run in runs if name in run.data.metrics]
        if hasattr(store, "get_metric_history_bulk"):
            points = _bulk(store, having, name)
        else:
            with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
                read = pool.map(partial(client.get_metric_history, key=name), having)
                points = dict(zip(having, read, strict=True))
        for run_id, metrics in points.items():
            found[run_id][name] = tuple(sorted((m.step, m.timestamp, m.value) for m in metrics))
    return found


def _bulk(store: Any, run_ids: Sequence[str], name: str) -> dict[str, list["Metric"]]:  # noqa: ANN401
    """One metric of many runs."""
    points: dict[str, list[Metric]] = {run_id: [] for run_id in run_ids}
    for start in range(0, len(run_ids), _RUNS_AT_ONCE):
        for point in store.get_metric_history_bulk(run_ids[start : start + _RUNS_AT_ONCE], name, _ALL):
            points[point.run_id].append(point)
    return points


def _view(run: "Run", histories: Mapping[str, History]) -> RunView:
    tags = dict(run.data.tags)
    return RunView(
        run_id=str(run.info.run_id),
        trial=trial_of(run),
        status=RunStatus(run.info.status),
        tags=tags,
        params=dict(run.data.params),
        parent=tags.get(PARENT_TAG),
        start_ms=run.info.start_time,
        end_ms=run.info.end_time,
        histories=histories,
    )
