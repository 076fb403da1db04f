"""A shipping process that reaches nothing: it costs a test 20 ms, where the real one imports MLflow."""

import sys

from orchestrator.tracking import shipper
from orchestrator.tracking.orders import Report

ERROR = "ConnectionError: no store here"
_SAYS = Report(num_shipped=0, error=ERROR, flushed=0).model_dump_json()


def without_mlflow(patch):
    """Let every shipper of this process have an MLflow that is down; `patch` is pytest's monkeypatch."""
    script = f"import sys\nprint({_SAYS!r}, flush=True)\nsys.stdin.read()"
    patch.setattr(shipper, "COMMAND", (sys.executable, "-I", "-S", "-c", script))
