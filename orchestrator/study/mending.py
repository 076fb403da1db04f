"""Bringing Optuna's trials up to what the ledger has stored of them. Called by repair, under the sweep's lock.

No parameter, measurement or value is changed.
"""

from optuna.trial import Trial

from orchestrator.study.ledger import Ledger
from orchestrator.study.records import ATTEMPT, PAUSED
from orchestrator.trial import TrialRecord


def tell_stored_ending(ledger: Ledger, number: int) -> TrialRecord:
    """End an open trial as its stored ending says, as the driver would have that stored it."""
    ending = ledger.record(number).ending
    assert ending is not None, "only a stored ending can be told"
    trial = _trial(ledger, number)
    ledger._hand_out(trial, attempt=trial.user_attrs[ATTEMPT])
    return ledger.tell(number, ending)


def mark_paused(ledger: Ledger, number: int) -> None:
    """Say of an open trial that nobody runs it; a resume hands it out again."""
    _trial(ledger, number).set_user_attr(PAUSED, True)


def _trial(ledger: Ledger, number: int) -> Trial:
    return Trial(ledger.study, ledger.study.get_trials(deepcopy=False)[number]._trial_id)
