"""What MLflow is told: `Tracker` for the control loop, `sync` for later, and the store's address and pages.

Importing this room does not import MLflow; the shipper's thread does, when it first has something to say.
"""

from orchestrator.tracking.outbox import Identity
from orchestrator.tracking.preload import Preload
from orchestrator.tracking.provenance import provenance
from orchestrator.tracking.registered import Registration, register_model
from orchestrator.tracking.server import ui_command, ui_environment
from orchestrator.tracking.shipper import Lag
from orchestrator.tracking.tracker import SyncReport, Tracker, num_pending, sync
from orchestrator.tracking.uri import is_reachable, is_server, redact, without_credentials

__all__ = [
    "Identity",
    "Lag",
    "Preload",
    "Registration",
    "SyncReport",
    "Tracker",
    "is_reachable",
    "is_server",
    "num_pending",
    "provenance",
    "redact",
    "register_model",
    "sync",
    "ui_command",
    "ui_environment",
    "without_credentials",
]
