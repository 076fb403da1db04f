"""The Optuna adapter and the ledger: ask, report, prune, tell. The only room that imports optuna.

A name is imported when it is asked for: what only reads a ledger does without Optuna, whose import takes longer.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.study.archive import Archive, is_absent, open_archive
    from orchestrator.study.lease import Lease, Leases
    from orchestrator.study.ledger import Ledger
    from orchestrator.study.records import Candidate, Confirming, Continued, SweepRecord, SweepState
    from orchestrator.study.storage import Storage

__all__ = [
    "Archive",
    "Candidate",
    "Confirming",
    "Continued",
    "Lease",
    "Leases",
    "Ledger",
    "Storage",
    "SweepRecord",
    "SweepState",
    "is_absent",
    "open_archive",
]

_MODULES = {
    "archive": ("Archive", "is_absent", "open_archive"),
    "lease": ("Lease", "Leases"),
    "ledger": ("Ledger",),
    "records": ("Candidate", "Confirming", "Continued", "SweepRecord", "SweepState"),
    "storage": ("Storage",),
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
