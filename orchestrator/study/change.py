"""`Change`: what is written of an open trial in one go, and how any Optuna storage takes it. Called by the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


@dataclass(frozen=True, slots=True)
class Change:
    """What is written of an open trial.

    Attributes:
        attrs: the ledger's attributes.
        notes: Optuna's own, such as constraints.
        values: step to the first objective.
        state: ends the trial, with the values of its `objectives`.
        sweep: attributes of the study.
    """

    attrs: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[int, float] = field(default_factory=dict)
    state: TrialState | None = None
    objectives: Sequence[float] | None = None
    sweep: Mapping[str, Any] = field(default_factory=dict)


def apply(study: Study, trial_id: int, change: Change) -> FrozenTrial:
    """Write a change where one write is one step, in the order in which a driver may die between them."""
    storage = study._storage
    for key, value in change.attrs.items():
        storage.set_trial_user_attr(trial_id, key, value)
    for step, value in change.values.items():
        storage.set_trial_intermediate_value(trial_id, step, value)
    for key, value in change.notes.items():
        storage.set_trial_system_attr(trial_id, key, value)
    if change.state is not None:
        storage.set_trial_state_values(trial_id, change.state, change.objectives)
    for key, value in change.sweep.items():
        study.set_user_attr(key, value)
    return storage.get_trial(trial_id)
