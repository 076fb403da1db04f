"""A registered model version in MLflow for an export. Called by `sweeps.export`, which goes on when MLflow is down.

MLflow is imported in here: nothing else that exports needs it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.tracking.store import configure, schema_lock
from orchestrator.tracking.uri import is_reachable, redact

REACH_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Registration:
    """Attributes: version: None when it could not be registered, and `error` says why."""

    name: str
    version: str | None = None
    error: str | None = None


def register_model(
    folder: Path, *, name: str, run_id: str | None, tracking_uri: str, tags: Mapping[str, str]
) -> Registration:
    """Copy the folder to the artifacts of the trial's run and register it as a new version of the model `name`.

    Each weights get a folder of their own there: a version must not change under whoever uses it.
    """
    if run_id is None:
        return Registration(name, error="MLflow does not know the run of this trial yet; deliver it with orch sync")
    if not is_reachable(tracking_uri, timeout_s=REACH_TIMEOUT_S):
        return Registration(name, error=f"nothing answers at {redact(tracking_uri)}")
    configure()
    # Whatever MLflow or its server raises: the export is there all the same.
    try:
        return Registration(name, version=_register(folder, name, run_id, tracking_uri, tags))
    except Exception as error:
        text = redact(" ".join(str(error).split()))
        return Registration(name, error=f"{type(error).__name__}: {text}")


def _register(folder: Path, name: str, run_id: str, tracking_uri: str, tags: Mapping[str, str]) -> str:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    with schema_lock(tracking_uri):
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        run = client.get_run(run_id)
    place = f"exports/{hashlib.sha256((folder / 'model.safetensors').read_bytes()).hexdigest()[:12]}"
    client.log_artifacts(run_id, str(folder), place)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{run.info.artifact_uri}/{place}"
    version = client.create_model_version(name, source=source, run_id=run_id, tags=dict(tags))
    return str(version.version)
