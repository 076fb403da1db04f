"""`DriverStorage`: one study of an Optuna database with its trials in memory, written through and read once.

A sweep has one writer, so that what it wrote need not be read again. Of a trial that has ended its measurements are not
kept in memory; `whole` reads them. Made by `Storage` for each ledger that it opens.
"""

import copy
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from orchestrator.study.change import Change, apply
from orchestrator.study.records import STEP
from orchestrator.study.rows import Rows


def write(study: Study, trial_id: int, change: Change) -> FrozenTrial:
    """Write a change to any study, in one transaction where its trials are in a database."""
    storage = study._storage
    return storage.change(trial_id, change) if isinstance(storage, DriverStorage) else apply(study, trial_id, change)


def whole_trials(study: Study) -> Iterable[FrozenTrial]:
    """All trials of any study with all that is stored of them, by number."""
    storage = study._storage
    return storage.whole() if isinstance(storage, DriverStorage) else study.get_trials(deepcopy=False)


def write_study(study: Study, attrs: Mapping[str, Any]) -> None:
    """Set attributes of any study, in one transaction where it is in a database."""
    storage = study._storage
    if isinstance(storage, DriverStorage):
        storage.set_study_user_attrs(attrs)
        return
    for key, value in attrs.items():
        study.set_user_attr(key, value)


class DriverStorage(_CachedStorage):
    """What Optuna asks of a storage, for the one study that it is opened for."""

    def __init__(self, rdb: RDBStorage) -> None:
        super().__init__(rdb)
        self._rows = Rows(-1)
        self._spaces: dict[str, BaseDistribution] = {}

    @cached_property
    def _known(self) -> list[FrozenTrial]:
        """All trials by number; of those that have not ended all that is stored."""
        with self._backend.engine.connect() as connection:
            trials = list(self._rows.read(connection, steps=False))
            running = {trial._trial_id for trial in trials if trial.state is TrialState.RUNNING}
            for trial in self._rows.read(connection, ids=running):
                trials[trial.number] = trial
        return trials

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {trial._trial_id: trial.number for trial in self._known}

    def whole(self) -> Iterator[FrozenTrial]:
        """All trials with all that is stored of them, by number; they are read a few at a time."""
        with self._backend.engine.connect() as connection:
            yield from self._rows.read(connection)

    def change(self, trial_id: int, change: Change) -> FrozenTrial:
        """Write in one transaction; returns all of the trial as it then is."""
        trial = self._known[self._numbers[trial_id]]
        if trial.state.is_finished():
            raise UpdateFinishedTrialError(f"Trial#{trial.number} has already finished and can not be updated.")
        at = datetime.now()
        with self._backend.engine.begin() as connection:
            self._rows.change(connection, trial, change, at=at)
            self._rows.set_study_attrs(connection, change.sweep)
        trial._user_attrs |= _as_stored(change.attrs)
        trial._system_attrs |= _as_stored(change.notes)
        trial.intermediate_values |= change.values
        if change.state is not None:
            trial.state, trial.datetime_complete = change.state, at
            trial._values = None if change.objectives is None else list(change.objectives)
            self._known[trial.number] = _without_steps(trial)
        return trial

    def set_study_user_attrs(self, attrs: Mapping[str, Any]) -> None:
        """Set several in one transaction."""
        with self._backend.engine.begin() as connection:
            self._rows.set_study_attrs(connection, attrs)

    # --- what Optuna calls

    def get_study_id_from_name(self, study_name: str) -> int:
        """Optuna asks for it when it makes the study or loads it: this one it is."""
        study_id: int = super().get_study_id_from_name(study_name)
        self._rows = Rows(study_id)
        return study_id

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Store a whole trial in one transaction."""
        assert template_trial is not None, "trials are drafted and then stored"
        for name, distribution in template_trial.distributions.items():
            check_distribution_compatibility(self._spaces.setdefault(name, distribution), distribution)
        known = self._known
        with self._backend.engine.begin() as connection:
            trial_id, number = self._rows.add(connection, template_trial)
        trial = copy.copy(template_trial)
        trial._user_attrs, trial._system_attrs = _as_stored(trial.user_attrs), _as_stored(trial.system_attrs)
        trial._params, trial._distributions = self._rows.as_stored(trial)
        trial.intermediate_values = dict(trial.intermediate_values)
        trial.number, trial._trial_id = number, trial_id
        self._numbers[trial_id] = number
        known.append(_without_steps(trial) if trial.state.is_finished() else trial)
        return trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """From memory: those that have ended without their measurements."""
        found = [trial for trial in self._known if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """All of one trial; of one that has ended from the database."""
        trial = self._known[self._numbers[trial_id]]
        if not trial.state.is_finished():
            return trial
        with self._backend.engine.connect() as connection:
            (whole,) = self._rows.read(connection, ids={trial_id})
        return whole

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """From memory."""
        return self._known[trial_number]._trial_id

    def set_trial_user_attr(self, trial_id: int, key: str, value: object) -> None:
        """A change of its own."""
        self.change(trial_id, Change(attrs={key: value}))

    def set_trial_system_attr(self, trial_id: int, key: str, value: object) -> None:
        """A change of its own."""
        self.change(trial_id, Change(notes={key: value}))

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """A change of its own."""
        self.change(trial_id, Change(values={step: intermediate_value}))

    def set_trial_param(self, *_: object) -> None:
        """Never called: trials are drafted and then stored."""
        raise NotImplementedError

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """A change of its own."""
        self.change(trial_id, Change(state=state, objectives=values))
        return True


def _without_steps(trial: FrozenTrial) -> FrozenTrial:
    slim = copy.copy(trial)
    slim._user_attrs = {key: value for key, value in trial.user_attrs.items() if not key.startswith(STEP)}
    return slim


def _as_stored(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """As the database gives it back."""
    stored: dict[str, Any] = json.loads(json.dumps(dict(attrs)))
    return stored
