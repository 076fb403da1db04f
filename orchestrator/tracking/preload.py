"""Work done while a cluster starts: MLflow's import, the schema of a store that is not there yet, other imports.

They take seconds of CPU which, a moment later, the first trials would have to share, or the last ones be waited for.
"""

import importlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from orchestrator.tracking.store import configure, database_file, schema_lock

_FILE = "mlflow.db"


class Preload:
    """A thread that gets ready. Nothing appears where the sweep lives before `put_in_place`."""

    def __init__(self, tracking_uri: str, *, modules: Sequence[str] = ()) -> None:
        """Args: modules: what else will be imported later on."""
        self._modules = modules
        self._uri = tracking_uri
        self._database = database_file(tracking_uri)
        missing = self._database is not None and not self._database.exists()
        self._folder = tempfile.TemporaryDirectory(prefix="orch-mlflow-") if missing else None
        self._thread = Thread(target=self._load, name="mlflow-preload", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until all is ready. Others that import while MLflow is imported may see half of a module."""
        self._thread.join()

    def put_in_place(self) -> None:
        """Move the empty store to where it belongs, if there still is none."""
        self.wait()
        if self._folder is None or self._database is None:
            return
        ready = Path(self._folder.name) / _FILE
        with schema_lock(self._uri):
            if ready.exists() and not self._database.exists():
                arriving = self._database.with_name(f".{self._database.name}.{os.getpid()}")
                arriving.write_bytes(ready.read_bytes())
                arriving.replace(self._database)
        self.discard()

    def discard(self) -> None:
        """Remove what was made and not put in place."""
        self.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _load(self) -> None:
        self._load_store()
        for module in self._modules:
            importlib.import_module(module)

    def _load_store(self) -> None:
        configure()
        tracking = importlib.import_module("mlflow.tracking")
        if self._folder is None:
            if self._database is not None:
                importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
            return
        uri = f"sqlite:///{Path(self._folder.name) / _FILE}"
        tracking.MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)
