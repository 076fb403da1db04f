"""The schema of a SQLite store that is not there yet, made beside the start of a cluster: it takes two seconds of CPU.

Nothing appears where the sweep lives before `put_in_place`.
"""

import importlib
import os
from pathlib import Path

from orchestrator.tracking.store import configure, database_file, schema_lock

_FILE = "mlflow.db"


def get_ready(tracking_uri: str, folder: Path) -> None:
    """Import MLflow; for a SQLite store that is missing, make an empty one in the folder."""
    configure()
    tracking = importlib.import_module("mlflow.tracking")
    database = database_file(tracking_uri)
    if database is None:
        return
    importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    if not database.exists():
        uri = f"sqlite:///{folder / _FILE}"
        tracking.MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)


def put_in_place(tracking_uri: str, folder: Path) -> None:
    """Copy the empty store, if one was made, to where it belongs, if there still is none."""
    database, ready = database_file(tracking_uri), folder / _FILE
    if database is None or not ready.exists():
        return
    with schema_lock(tracking_uri):
        if not database.exists():
            arriving = database.with_name(f".{database.name}.{os.getpid()}")
            arriving.write_bytes(ready.read_bytes())
            arriving.replace(database)
