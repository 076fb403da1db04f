"""Where ledgers live: one Optuna RDB storage with one study per sweep. Opened by `sweeps`; knows no control logic."""

import logging
from collections.abc import Sequence

import optuna
from sqlalchemy import create_engine

from orchestrator.errors import OrchError, UsageError
from orchestrator.study.archive import Archive
from orchestrator.study.confirmations import READS, SplitRead, read_reads
from orchestrator.study.database import (
    alone,
    connect_again,
    damaged,
    engine_options,
    is_sqlite,
    opening,
    parse_url,
    raise_in_words,
)
from orchestrator.study.driver_storage import DriverStorage
from orchestrator.study.importing import imported_trial
from orchestrator.study.lease import LEASES, Fence, Leases
from orchestrator.study.ledger import Ledger, search_space
from orchestrator.study.proposals import Proposer
from orchestrator.study.records import SWEEP_KEY, SweepRecord
from orchestrator.trial import TrialRecord

optuna.logging.set_verbosity(optuna.logging.WARNING)
logging.getLogger("alembic").setLevel(logging.WARNING)


class Storage(Archive):
    """All sweeps of one ledger database, to be made and driven."""

    def __init__(self, url: str) -> None:
        """Open the database at a SQLAlchemy `url`, creating its tables if it is new.

        Raises:
            UsageError: it is not a database URL.
            InfrastructureError: it cannot be reached or is not a ledger.
        """
        self.url = url
        self._parsed = parse_url(url)
        with opening(self._parsed):
            with alone(self._parsed):
                self._rdb = optuna.storages.RDBStorage(
                    self._parsed.render_as_string(hide_password=False), engine_kwargs=engine_options(self._parsed)
                )
                LEASES.create(self._rdb.engine, checkfirst=True)
            super().__init__(self._rdb.engine)
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

    def leases(self) -> Leases:
        """The claims on sweeps, to take one; close it."""
        url = self._parsed.render_as_string(hide_password=False)
        engine = create_engine(url, **engine_options(self._parsed))
        raise_in_words(engine, self._parsed, note=lambda error: None)
        return Leases(engine)

    def next_name(self, base: str) -> str:
        """`base-1`, or with the first number that no sweep has."""
        taken = set(self.names)
        return next(f"{base}-{n}" for n in range(1, len(taken) + 2) if f"{base}-{n}" not in taken)

    def test_reads(self, split: str) -> list[SplitRead]:
        """Every read of one test split, by any confirmation of this ledger, oldest first."""
        reads = [read for attrs in self.attributes((READS,)).values() for read in read_reads(attrs)]
        reads = [read for read in reads if read.split == split]
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
