"""`Archive`: the sweeps of a ledger database, to be listed and shown. Reads, writes nothing, and does without Optuna.

Opened by `sweeps.overview`; `Storage` is one that can also make sweeps and drive them.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, column, create_engine, inspect, select, table
from sqlalchemy.engine import Connection, Engine

from orchestrator.errors import SweepNotFoundError
from orchestrator.study.database import connect_again, engine_options, file_of, opening, parse_url, raise_in_words
from orchestrator.study.lease import LEASES, Lease, read_lease
from orchestrator.study.plain_trials import TRIALS, read_plain_trials
from orchestrator.study.records import (
    IMPORTED,
    PROGRESS_KEY,
    RUN_KEY,
    STEP,
    SWEEP_KEY,
    SweepRecord,
    has_outline,
    read_plain,
)
from orchestrator.trial import TrialRecord

_STUDIES = table("studies", column("study_id"), column("study_name"))
_ATTRS = table("study_user_attributes", column("study_id"), column("key"), column("value_json"))


def is_absent(url: str) -> bool:
    """Whether a ledger URL names a SQLite file that is not there, so that reading would have to make it.

    Raises:
        UsageError: it is not a database URL.
    """
    file = file_of(parse_url(url))
    return file is not None and not file.exists()


def open_archive(url: str) -> "Archive":
    """The sweeps of the database at a SQLAlchemy `url`.

    Raises:
        UsageError: it is not a database URL.
        InfrastructureError: it cannot be reached.
    """
    parsed = parse_url(url)
    with opening(parsed):
        engine = create_engine(parsed, **engine_options(parsed))
        archive = Archive(engine)
    connect_again(engine)
    raise_in_words(engine, parsed, note=lambda error: None)
    return archive


class Archive:
    """All sweeps of one ledger database; a database without tables has none."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tables = set(inspect(engine).get_table_names())

    def attributes(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Sweep to its attributes with these keys, oldest first; whatever else lies in the database is no sweep."""
        if _STUDIES.name not in self._tables:
            return {}
        names = select(_STUDIES.c.study_id, _STUDIES.c.study_name).order_by(_STUDIES.c.study_id)
        attrs = select(_ATTRS.c.study_id, _ATTRS.c.key, _ATTRS.c.value_json)
        attrs = attrs.where(_ATTRS.c.key.in_([SWEEP_KEY, *keys]))
        with self._engine.connect() as connection:
            known: dict[int, str] = {study_id: name for study_id, name in connection.execute(names)}
            found: dict[int, dict[str, Any]] = {study_id: {} for study_id in known}
            for study_id, key, written in connection.execute(attrs):
                found[study_id][key] = written
        return {
            known[study_id]: {key: json.loads(written) for key, written in some.items() if key in keys}
            for study_id, some in found.items()
            if SWEEP_KEY in some
        }

    @property
    def names(self) -> list[str]:
        """The names of all sweeps, oldest first."""
        return list(self.attributes(()))

    def sweeps(self) -> list[SweepRecord]:
        """All sweeps, oldest first, without their trials."""
        found = self.attributes((SWEEP_KEY, PROGRESS_KEY))
        return [SweepRecord.from_attrs(name, attrs) for name, attrs in found.items()]

    def find(self, reference: str) -> SweepRecord:
        """The record of a sweep by its name or id.

        Raises:
            SweepNotFoundError: there is none; the message names those that are.
        """
        sweeps = self.sweeps()
        for record in sweeps:
            if reference in (record.name, record.id):
                return record
        known = ", ".join(record.name for record in sweeps[-10:]) or "none"
        raise SweepNotFoundError(f"no sweep {reference!r} in this ledger; the latest are: {known}")

    def lease(self, sweep_id: str) -> Lease | None:
        """Who drives a sweep, by its id, as the database says; None when nobody does."""
        if LEASES.name not in self._tables:
            return None
        with self._engine.connect() as connection:
            return read_lease(connection, sweep_id)

    def outlines(self, sweep: SweepRecord) -> list[TrialRecord]:
        """The trials of a sweep by number, without the measurements of those that have an outline."""
        with self._engine.connect() as connection:
            study_id = connection.execute(_id_of(sweep)).scalar_one()
            trials = {t.trial_id: t for t in read_plain_trials(connection, study_id, leave_out=STEP)}
            bare = {trial_id for trial_id, trial in trials.items() if not has_outline(trial)}
            trials |= {t.trial_id: t for t in read_plain_trials(connection, study_id, ids=bare)}
            runs = _runs(connection, study_id)
        return [
            read_plain(trial, sweep.spec, run_id=runs.get(f"{RUN_KEY}{trial.number}"))
            for trial in trials.values()
            if IMPORTED not in trial.attrs
        ]

    def trial(self, sweep: SweepRecord, number: int) -> TrialRecord:
        """All that is known of one trial that is there."""
        with self._engine.connect() as connection:
            study_id = connection.execute(_id_of(sweep)).scalar_one()
            mine = select(TRIALS.c.trial_id).where(TRIALS.c.study_id == study_id, TRIALS.c.number == number)
            (trial,) = read_plain_trials(connection, study_id, ids=connection.execute(mine).scalars().all())
            runs = _runs(connection, study_id)
        return read_plain(trial, sweep.spec, run_id=runs.get(f"{RUN_KEY}{number}"))

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()


def _id_of(sweep: SweepRecord) -> Select[Any]:
    return select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == sweep.name)


def _runs(connection: Connection, study_id: int) -> Mapping[str, str]:
    """The MLflow runs of a sweep's trials, by attribute."""
    mine = (_ATTRS.c.study_id == study_id, _ATTRS.c.key.like(f"{RUN_KEY}%"))
    runs = select(_ATTRS.c.key, _ATTRS.c.value_json).where(*mine)
    return {key: json.loads(written) for key, written in connection.execute(runs)}
