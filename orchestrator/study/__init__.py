"""The Optuna adapter and the ledger: ask, report, prune, tell. The only room that imports optuna."""

from orchestrator.study.lease import Lease, Leases
from orchestrator.study.ledger import Ledger
from orchestrator.study.records import Candidate, Confirming, Continued, SweepRecord, SweepState
from orchestrator.study.storage import Storage, is_absent

__all__ = [
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
]
