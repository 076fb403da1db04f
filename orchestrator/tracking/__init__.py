"""What MLflow is told by `Tracker`, what it has by `read_runs`, and the store's address and pages.

Importing this room does not import MLflow; the shipper's process does.
"""

from orchestrator.tracking.outbox import Identity, num_pending
from orchestrator.tracking.provenance import provenance
from orchestrator.tracking.reading import RunView, read_runs
from orchestrator.tracking.registered import Registration, register_model
from orchestrator.tracking.server import ui_command, ui_environment
from orchestrator.tracking.shipper import Lag, Shipper
from orchestrator.tracking.told import SWEEP_STARTED, facts_of, sweep_end_told
from orchestrator.tracking.tracker import Tracker
from orchestrator.tracking.uri import is_reachable, is_server, redact, without_credentials

__all__ = [
    "SWEEP_STARTED",
    "Identity",
    "Lag",
    "Registration",
    "RunView",
    "Shipper",
    "Tracker",
    "facts_of",
    "is_reachable",
    "is_server",
    "num_pending",
    "provenance",
    "read_runs",
    "redact",
    "register_model",
    "sweep_end_told",
    "ui_command",
    "ui_environment",
    "without_credentials",
]
