"""A study's trials in Optuna's tables: read with one query a table, written with one statement a table.

Optuna's own storage asks the database again for each attribute that it writes, and for each trial that has not ended
whenever it lists them. Called by `DriverStorage` alone; Optuna reads what is written here.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.engine import Connection

from orchestrator.study import plain_trials
from orchestrator.study.change import Change
from orchestrator.study.plain_trials import CHUNK, PlainTrial, read_plain_trials, rows_of
from orchestrator.study.records import STEP


def _table(model: type[models.BaseModel]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


TRIALS, PARAMS = _table(models.TrialModel), _table(models.TrialParamModel)
ATTRS, NOTES = _table(models.TrialUserAttributeModel), _table(models.TrialSystemAttributeModel)
VALUES, OBJECTIVES = _table(models.TrialIntermediateValueModel), _table(models.TrialValueModel)
STUDY_ATTRS = _table(models.StudyUserAttributeModel)

_VALUE_KIND: Any = models.TrialIntermediateValueModel.TrialIntermediateValueType
_OBJECTIVE_KIND: Any = models.TrialValueModel.TrialValueType
_value_of = models.TrialIntermediateValueModel.stored_repr_to_intermediate_value
_stored_value = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
_objective_of = models.TrialValueModel.stored_repr_to_value
_stored_objective = models.TrialValueModel.value_to_stored_repr


class Rows:
    """The trials of one study."""

    def __init__(self, study_id: int) -> None:
        self._study_id = study_id
        self._distributions: dict[str, BaseDistribution] = {}

    # --- reading

    def read(
        self, connection: Connection, *, steps: bool = True, ids: Collection[int] | None = None
    ) -> Iterator[FrozenTrial]:
        """The trials by number, a chunk at a time, or those with some `ids`; without `steps` no measurements."""
        plain = read_plain_trials(connection, self._study_id, ids=ids, leave_out=None if steps else STEP)
        while chunk := {trial.trial_id: self._frozen(trial) for trial in islice(plain, CHUNK)}:
            self._add_optunas_own(connection, chunk)
            yield from chunk.values()

    def _frozen(self, plain: PlainTrial) -> FrozenTrial:
        state, trial_id = TrialState[plain.state], plain.trial_id
        trial = FrozenTrial(plain.number, state, None, plain.started, plain.ended, {}, {}, {}, {}, {}, trial_id)
        trial._params, trial._user_attrs = plain.params, plain.attrs
        trial._distributions = {name: self._distribution(written) for name, written in plain.domains.items()}
        return trial

    def _add_optunas_own(self, connection: Connection, trials: Mapping[int, FrozenTrial]) -> None:
        for trial_id, key, written in rows_of(connection, plain_trials.NOTES, trials):
            trials[trial_id]._system_attrs[key] = json.loads(written)
        for trial_id, step, value, kind in rows_of(connection, plain_trials.VALUES, trials):
            trials[trial_id].intermediate_values[step] = _value_of(value, _VALUE_KIND[kind])
        objectives: dict[int, dict[int, float]] = {}
        for trial_id, objective, value, kind in rows_of(connection, plain_trials.OBJECTIVES, trials):
            objectives.setdefault(trial_id, {})[objective] = _objective_of(value, _OBJECTIVE_KIND[kind])
        for trial_id, values in objectives.items():
            trials[trial_id]._values = [values[n] for n in range(len(values))]

    def _distribution(self, written: str) -> BaseDistribution:
        """Equal ones are one object."""
        if written not in self._distributions:
            self._distributions[written] = json_to_distribution(written)
        return self._distributions[written]

    def as_stored(self, trial: FrozenTrial) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        """Parameters and distributions of a trial as they are read back."""
        shared = {name: self._distribution(distribution_to_json(d)) for name, d in trial.distributions.items()}
        params = {
            name: shared[name].to_external_repr(shared[name].to_internal_repr(v)) for name, v in trial.params.items()
        }
        return params, shared

    # --- writing

    def set_study_attrs(self, connection: Connection, attrs: Mapping[str, Any]) -> None:
        """Set attributes of the study."""
        if not attrs:
            return
        mine = STUDY_ATTRS.c.study_id == self._study_id
        query = select(STUDY_ATTRS.c.key).where(mine)
        query = query.where(STUDY_ATTRS.c.key.in_(attrs)) if len(attrs) <= CHUNK else query
        known = set(connection.execute(query).scalars())
        fresh = [row | {"study_id": self._study_id} for row in _attributes(attrs) if row["key"] not in known]
        if fresh:
            connection.execute(insert(STUDY_ATTRS), fresh)
        for row in _attributes({key: value for key, value in attrs.items() if key in known}):
            connection.execute(update(STUDY_ATTRS).where(mine, STUDY_ATTRS.c.key == row["key"]).values(row))

    def add(self, connection: Connection, template: FrozenTrial) -> tuple[int, int]:
        """Store a whole trial; returns its id and its number."""
        earlier = select(func.count()).select_from(TRIALS).where(TRIALS.c.study_id == self._study_id)
        number: int = connection.execute(earlier).scalar_one()
        row = {
            "study_id": self._study_id,
            "number": number,
            "state": template.state,
            "datetime_start": _utc(template.datetime_start),
            "datetime_complete": _utc(template.datetime_complete),
        }
        inserted = connection.execute(insert(TRIALS).values(row)).inserted_primary_key
        assert inserted is not None
        trial_id: int = inserted[0]
        distributions = template.distributions
        params = [
            {
                "param_name": name,
                "param_value": distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(distributions[name]),
            }
            for name, value in template.params.items()
        ]
        _insert(connection, PARAMS, trial_id, params)
        _insert(connection, ATTRS, trial_id, _attributes(template.user_attrs))
        _insert(connection, NOTES, trial_id, _attributes(template.system_attrs))
        _insert(connection, VALUES, trial_id, _values(template.intermediate_values))
        _insert(connection, OBJECTIVES, trial_id, _objectives(template.values))
        return trial_id, number

    def change(self, connection: Connection, trial: FrozenTrial, change: Change, *, at: datetime) -> None:
        """Store what changes of a trial; `trial` is as it stands, which tells new attributes from known ones."""
        trial_id = trial._trial_id
        for table, known, changed in (
            (ATTRS, trial.user_attrs, change.attrs),
            (NOTES, trial.system_attrs, change.notes),
        ):
            _insert(connection, table, trial_id, _attributes({k: v for k, v in changed.items() if k not in known}))
            for row in _attributes({key: value for key, value in changed.items() if key in known}):
                where = (table.c.trial_id == trial_id, table.c.key == row["key"])
                connection.execute(update(table).where(*where).values(row))
        _insert(connection, VALUES, trial_id, _values(change.values))
        _insert(connection, OBJECTIVES, trial_id, _objectives(change.objectives))
        if change.state is not None:
            ended = {"state": change.state, "datetime_complete": _utc(at)}
            connection.execute(update(TRIALS).where(TRIALS.c.trial_id == trial_id).values(ended))


def _insert(connection: Connection, table: Table, trial_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), [{"trial_id": trial_id, **row} for row in rows])


def _attributes(attrs: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in attrs.items()]


def _values(values: Mapping[int, float]) -> list[dict[str, Any]]:
    rows = ((step, *_stored_value(value)) for step, value in values.items())
    return [{"step": s, "intermediate_value": v, "intermediate_value_type": kind} for s, v, kind in rows]


def _objectives(values: Sequence[float] | None) -> list[dict[str, Any]]:
    rows = ((n, *_stored_objective(value)) for n, value in enumerate(values or ()))
    return [{"objective": n, "value": value, "value_type": kind} for n, value, kind in rows]


def _utc(moment: datetime | None) -> datetime | None:
    """Optuna keeps naive UTC in the database and naive local time in memory."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
