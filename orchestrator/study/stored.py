"""A sweep's trials as Optuna has them, beside the ledger's reading of them. Read by verification; changes nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from optuna.trial import TrialState as OptunaState

from orchestrator.study.driver_storage import whole_trials
from orchestrator.study.ledger import Ledger
from orchestrator.study.records import is_imported
from orchestrator.trial import TrialState

_STATES = {
    OptunaState.WAITING: TrialState.WAITING,
    OptunaState.RUNNING: TrialState.RUNNING,
    OptunaState.COMPLETE: TrialState.COMPLETE,
    OptunaState.PRUNED: TrialState.PRUNED,
    OptunaState.FAIL: TrialState.FAILED,
}


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """One Optuna trial.

    Attributes:
        state: Optuna's own, which has no pause: such a trial is running.
        values: of the objectives; empty without.
        intermediate: step to the first objective, which pruners see.
        imported: whether it is a trial of another sweep.
        text: all that is written of it, as one text.
    """

    number: int
    state: TrialState
    values: tuple[float, ...]
    intermediate: Mapping[int, float]
    imported: bool
    text: str


def stored_trials(ledger: Ledger) -> list[StoredTrial]:
    """All trials of the sweep's study, those of other sweeps included."""
    return [
        StoredTrial(
            number=trial.number,
            state=_STATES[trial.state],
            values=tuple(trial.values or ()),
            intermediate=dict(trial.intermediate_values),
            imported=is_imported(trial),
            text=json.dumps([trial.params, trial.user_attrs, trial.system_attrs], default=str),
        )
        for trial in whole_trials(ledger.study)
    ]


def sweep_text(ledger: Ledger) -> str:
    """All that is written of the sweep as a whole, as one text."""
    return json.dumps(ledger.study.user_attrs, default=str)
