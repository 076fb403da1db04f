"""The command that shows a local MLflow store in a browser, for `orch ui`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import UsageError
from orchestrator.tracking.uri import is_server, redact


def ui_command(tracking_uri: str, *, artifacts: Path, host: str = "127.0.0.1", port: int = 5000) -> list[str]:
    """Arguments that start MLflow's pages on a store that has no server of its own; bound to loopback by default.

    The store's address is not among them: the process list would show its password. `ui_environment` has it.

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


def ui_environment(tracking_uri: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of that command: where the store is; no telemetry and no job workers unless they were asked for.

    The workers are seven processes for MLflow's evaluation jobs, which nothing here uses.
    """
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**quiet, **environ, "MLFLOW_BACKEND_STORE_URI": tracking_uri}
