"""Bringing Optuna's trials up to what the ledger has stored of them. Called by repair, under the sweep's lock.

No parameter, measurement or value is changed.
"""

from orchestrator.study.change import Change
from orchestrator.study.driver_storage import write
from orchestrator.study.ledger import Ledger
from orchestrator.study.records import PAUSED
from orchestrator.trial import TrialRecord


def tell_stored_ending(ledger: Ledger, number: int) -> TrialRecord:
    """End an open trial as its stored ending says, as the driver would have that stored it."""
    ending = ledger.record(number).ending
    assert ending is not None, "only a stored ending can be told"
    ledger._hand_out(ledger.study.get_trials(deepcopy=False)[number])
    return ledger.tell(number, ending)


def mark_paused(ledger: Ledger, number: int) -> None:
    """Say of an open trial that nobody runs it; a resume hands it out again."""
    trial = ledger.study.get_trials(deepcopy=False)[number]
    write(ledger.study, trial._trial_id, Change({PAUSED: True}))
