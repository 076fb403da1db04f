"""The command that shows a local MLflow store in a browser, for `orch ui`."""

import sys
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.tracking.uri import is_server, redact

STORE_VARIABLE = "MLFLOW_BACKEND_STORE_URI"
"""Where MLflow reads the store's address: one on the command line would show its password in the process list."""
PAGES_ALONE = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""Without MLflow's workers for evaluation jobs: seven processes that nothing here uses."""


def ui_command(tracking_uri: str, *, artifacts: Path, host: str = "127.0.0.1", port: int = 5000) -> list[str]:
    """Arguments that start MLflow's pages on a store that has no server of its own; bound to loopback by default.

    The store's address goes into the environment, as `STORE_VARIABLE`.

    Raises: UsageError: the URI is a server, whose address the person can open instead.
    """
    if is_server(tracking_uri):
        raise UsageError(f"{redact(tracking_uri)} is a server already: open it in a browser")
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--artifacts-destination", artifacts.resolve().as_uri()),
        *("--host", host, "--port", str(port)),
        *("--workers", "1"),
    ]
