"""Where ledgers live: one Optuna RDB storage with one study per sweep. Opened by `sweeps`; knows no control logic."""

import logging
from collections.abc import Sequence

import optuna
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.errors import InfrastructureError, OrchError, SweepNotFoundError, UsageError
from orchestrator.study.confirmations import SplitRead, read_reads
from orchestrator.study.database import (
    alone,
    connect_again,
    damaged,
    engine_options,
    file_of,
    first_line,
    in_words,
    is_sqlite,
    parse_url,
    raise_in_words,
    shown,
)
from orchestrator.study.driver_storage import DriverStorage
from orchestrator.study.importing import imported_trial
from orchestrator.study.lease import LEASES, Fence, Lease, Leases, read_lease
from orchestrator.study.ledger import Ledger, search_space
from orchestrator.study.proposals import Proposer
from orchestrator.study.records import SWEEP_KEY, SweepRecord
from orchestrator.trial import TrialRecord

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("alembic").setLevel(logging.WARNING)


def is_absent(url: str) -> bool:
    """Whether a ledger URL names a SQLite file that is not there, so that reading would have to make it.

    Raises:
        UsageError: it is not a database URL.
    """
    file = file_of(parse_url(url))
    return file is not None and not file.exists()


class Storage:
    """All sweeps of one ledger database."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy `url`, creating its tables if it is new.

        Raises:
            UsageError: it is not a database URL.
            InfrastructureError: it cannot be reached or is not a ledger.
        """
        self.url = url
        self._parsed = parse_url(url)
        try:
            with alone(self._parsed):
                self._rdb = optuna.storages.RDBStorage(
                    self._parsed.render_as_string(hide_password=False), engine_kwargs=engine_options(self._parsed)
                )
                LEASES.create(self._rdb.engine, checkfirst=True)
        except (SQLAlchemyError, RuntimeError, ImportError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            words = f"cannot open the ledger {shown(self._parsed)}: {first_line(cause)}"
            raise in_words(cause, self._parsed) or InfrastructureError(words) from error
        self._fence = Fence(self._rdb.engine)
        connect_again(self._rdb.engine)
        raise_in_words(self._rdb.engine, self._parsed, note=self._fence.fail)

    @property
    def fence(self) -> Fence:
        """What keeps a driver without its claim from writing."""
        return self._fence

    @property
    def failure(self) -> OrchError | None:
        """Why a driver can write no more; None while it can."""
        return self._fence.failure

    def check(self) -> None:
        """Look at every page of a SQLite ledger before more is written to it.

        Raises:
            IntegrityError: it is damaged.
        """
        if is_sqlite(self._parsed):
            with self._rdb.engine.connect() as connection:
                found: str = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if found != "ok":
                raise damaged(self._parsed, found.replace("\n", "; "))

    def lease(self, sweep_id: str) -> Lease | None:
        """Who drives a sweep, by its id, as the database says; None when nobody does."""
        with self._rdb.engine.connect() as connection:
            return read_lease(connection, sweep_id)

    def leases(self) -> Leases:
        """The claims on sweeps, to take one; close it."""
        url = self._parsed.render_as_string(hide_password=False)
        engine = create_engine(url, **engine_options(self._parsed))
        raise_in_words(engine, self._parsed, note=lambda error: None)
        return Leases(engine)

    @property
    def names(self) -> list[str]:
        """The names of all sweeps, oldest first."""
        return [s.study_name for s in self._rdb.get_all_studies() if SWEEP_KEY in s.user_attrs]

    def next_name(self, base: str) -> str:
        """`base-1`, or with the first number that no sweep has."""
        taken = set(self.names)
        return next(f"{base}-{n}" for n in range(1, len(taken) + 2) if f"{base}-{n}" not in taken)

    def sweeps(self) -> list[SweepRecord]:
        """All sweeps, oldest first, without their trials."""
        return [
            SweepRecord.from_attrs(s.study_name, s.user_attrs)
            for s in self._rdb.get_all_studies()
            if SWEEP_KEY in s.user_attrs
        ]

    def test_reads(self, split: str) -> list[SplitRead]:
        """Every read of one test split, by any confirmation of this ledger, oldest first."""
        reads = [read for s in self._rdb.get_all_studies() for read in read_reads(s.user_attrs) if read.split == split]
        return sorted(reads, key=lambda read: read.at_ms)

    def create(
        self, record: SweepRecord, *, proposer: Proposer | None = None, history: Sequence[TrialRecord] = ()
    ) -> Ledger:
        """Make the study of a new sweep.

        Args:
            record: of the sweep.
            proposer: takes the sampler's place.
            history: trials of another sweep, with parameters of this one's space, as its record says.

        Raises:
            UsageError: the name is taken.
        """
        # Alone, so that none that is just being made is taken for one whose driver died.
        with alone(self._parsed):
            self._remove_unfinished(record.name)
            return self._make(record, proposer, history)

    def _make(self, record: SweepRecord, proposer: Proposer | None, history: Sequence[TrialRecord]) -> Ledger:
        spec = record.spec
        try:
            study = optuna.create_study(
                study_name=record.name,
                storage=DriverStorage(self._rdb),
                directions=[o.direction.value for o in spec.objectives],
            )
        except optuna.exceptions.DuplicatedStudyError as error:
            raise UsageError(
                f"a sweep named {record.name!r} exists already; choose another --name or resume it"
            ) from error
        if history and record.continued is not None:
            space, source = search_space(spec, record.fixed), record.continued.sweep
            study.add_trials([imported_trial(trial, spec=spec, space=space, source=source) for trial in history])
        ledger = Ledger(study, spec=spec, fixed=record.fixed, proposer=proposer)
        ledger.replace_spec(record)
        ledger.update_sweep(record)
        return ledger

    def _remove_unfinished(self, name: str) -> None:
        """A driver may have died while it made a sweep: without its record it is none, and only its name is taken."""
        for study in self._rdb.get_all_studies():
            if study.study_name == name and SWEEP_KEY not in study.user_attrs:
                self._rdb.delete_study(study._study_id)

    def open(self, reference: str, *, proposer: Proposer | None = None) -> Ledger:
        """The ledger of a sweep by its name or id; who goes on with it gives the same `proposer` as at first.

        Raises:
            SweepNotFoundError: there is none; the message names those that are.
        """
        record = self.find(reference)
        study = optuna.load_study(study_name=record.name, storage=DriverStorage(self._rdb))
        return Ledger(study, spec=record.spec, fixed=record.fixed, proposer=proposer)

    def find(self, reference: str) -> SweepRecord:
        """The record of a sweep by its name or id.

        Raises:
            SweepNotFoundError: there is none.
        """
        sweeps = self.sweeps()
        for record in sweeps:
            if reference in (record.name, record.id):
                return record
        known = ", ".join(record.name for record in sweeps[-10:]) or "none"
        raise SweepNotFoundError(f"no sweep {reference!r} in this ledger; the latest are: {known}")

    def close(self) -> None:
        """Let the connections go."""
        self._rdb.engine.dispose()
