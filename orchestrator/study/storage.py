"""Where ledgers live: one Optuna RDB storage with one study per sweep. Opened by `sweeps`; knows no control logic."""

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import optuna
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from orchestrator.errors import InfrastructureError, SweepNotFoundError, UsageError
from orchestrator.study.confirmations import SplitRead, read_reads
from orchestrator.study.importing import imported_trial
from orchestrator.study.ledger import Ledger, search_space
from orchestrator.study.proposals import Proposer
from orchestrator.study.records import SWEEP_KEY, SweepRecord
from orchestrator.trial import TrialRecord

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("alembic").setLevel(logging.WARNING)

SQLITE_TIMEOUT_S = 30


def is_absent(url: str) -> bool:
    """Whether a ledger URL names a SQLite file that is not there, so that reading would have to make it.

    Raises:
        UsageError: it is not a database URL.
    """
    parsed = _parse(url)
    return _is_sqlite(parsed) and bool(parsed.database) and not Path(str(parsed.database)).exists()


class Storage:
    """All sweeps of one ledger database."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy `url`, creating its tables if it is new.

        Raises:
            UsageError: it is not a database URL.
            InfrastructureError: it cannot be reached or is not a ledger.
        """
        self.url = url
        parsed = _parse(url)
        sqlite = _is_sqlite(parsed)
        engine_kwargs = {"connect_args": {"timeout": SQLITE_TIMEOUT_S}} if sqlite else {}
        try:
            with _alone(parsed):
                self._rdb = optuna.storages.RDBStorage(url, engine_kwargs=engine_kwargs)
                if sqlite:
                    with self._rdb.engine.connect() as connection:
                        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except (SQLAlchemyError, RuntimeError, ImportError, OSError) as error:
            shown = parsed.render_as_string(hide_password=True)
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise InfrastructureError(f"cannot open the ledger {shown}: {cause}") from error

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
        spec = record.spec
        self._remove_unfinished(record.name)
        try:
            study = optuna.create_study(
                study_name=record.name, storage=self._rdb, directions=[o.direction.value for o in spec.objectives]
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
        study = optuna.load_study(study_name=record.name, storage=self._rdb)
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


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    # A port that is not a number is a ValueError.
    except (ArgumentError, ValueError) as error:
        # The text is not shown: it may hold a password.
        forms = "sqlite:///folder/ledger.db and postgresql://user@host/name"
        raise UsageError(f"the ledger's URL cannot be read; the forms are {forms}") from error


@contextmanager
def _alone(url: URL) -> Iterator[None]:
    """Let one process at a time make the tables of a SQLite file: two at once break each other. Locks its folder."""
    if not _is_sqlite(url) or not url.database or url.database == ":memory:":
        yield
        return
    folder = Path(url.database).parent
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_sqlite(url: URL) -> bool:
    return url.drivername.partition("+")[0] == "sqlite"
