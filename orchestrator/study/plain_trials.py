"""What Optuna's tables hold of trials, read a few trials at a time with one query a table, and without Optuna.

Called by `Rows`, which makes Optuna's trials of it, and by `Archive`: importing Optuna takes longer than a list may.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, TableClause, column, select, table
from sqlalchemy.engine import Connection

from orchestrator.trial import Value

CHUNK = 250
"""Trials that are read at once."""


def _table(name: str, *columns: str) -> TableClause:
    return table(name, *(column(one) for one in columns))


TRIALS = table(
    "trials",
    *(column(name) for name in ("trial_id", "study_id", "number", "state")),
    *(column(name, DateTime) for name in ("datetime_start", "datetime_complete")),
)
_PARAMS = _table("trial_params", "param_id", "trial_id", "param_name", "param_value", "distribution_json")
_ATTRS = _table("trial_user_attributes", "trial_user_attribute_id", "trial_id", "key", "value_json")
NOTES = _table("trial_system_attributes", "trial_system_attribute_id", "trial_id", "key", "value_json")
VALUES = _table(
    "trial_intermediate_values",
    "trial_intermediate_value_id",
    "trial_id",
    "step",
    "intermediate_value",
    "intermediate_value_type",
)
OBJECTIVES = _table("trial_values", "trial_value_id", "trial_id", "objective", "value", "value_type")


@dataclass(slots=True)
class PlainTrial:
    """A trial without what only Optuna needs.

    Attributes:
        state: Optuna's name of it.
        started, ended: naive local time, as Optuna has it in memory.
        attrs: user attributes.
        domains: parameter to its distribution, as it is written.
    """

    trial_id: int
    number: int
    state: str
    started: datetime | None
    ended: datetime | None
    params: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)


def read_plain_trials(
    connection: Connection, study_id: int, *, ids: Collection[int] | None = None, leave_out: str | None = None
) -> Iterator[PlainTrial]:
    """The trials of a study by number, or those with some `ids`; without the attributes that begin with `leave_out`."""
    query = select(TRIALS).where(TRIALS.c.study_id == study_id).order_by(TRIALS.c.trial_id)
    if ids is None:
        rows = connection.execute(query).all()
        chunks = (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
    else:
        wanted = sorted(ids)
        parts = (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))
        chunks = (connection.execute(query.where(TRIALS.c.trial_id.in_(part))).all() for part in parts)
    for chunk in chunks:
        trials = {
            row.trial_id: PlainTrial(
                row.trial_id, row.number, row.state, _local(row.datetime_start), _local(row.datetime_complete)
            )
            for row in chunk
        }
        for trial_id, name, value, written in rows_of(connection, _PARAMS, trials):
            trials[trial_id].params[name] = _decoder(written)(value)
            trials[trial_id].domains[name] = written
        for trial_id, key, written in rows_of(connection, _ATTRS, trials, leave_out=leave_out):
            trials[trial_id].attrs[key] = json.loads(written)
        yield from trials.values()


def rows_of(
    connection: Connection, of: TableClause, trial_ids: Iterable[int], *, leave_out: str | None = None
) -> Iterator[Any]:
    """The rows of some trials, without the table's own key, in the order in which they were written."""
    key, trial_id, *values = of.columns
    query = select(trial_id, *values).where(trial_id.in_(list(trial_ids))).order_by(key)
    if leave_out is not None:
        query = query.where(of.c.key.not_like(f"{leave_out}%"))
    yield from connection.execute(query)


@lru_cache(maxsize=1024)
def _decoder(written: str) -> Callable[[float], Value]:
    """From a number in the database to the value of a parameter, as its distribution says."""
    domain = json.loads(written)
    if "Categorical" in domain["name"]:
        choices: list[Value] = domain["attributes"]["choices"]
        return lambda value: choices[int(value)]
    return int if "Int" in domain["name"] else float


def _local(moment: datetime | None) -> datetime | None:
    """Optuna keeps naive UTC in the database and naive local time in memory."""
    return None if moment is None else moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
