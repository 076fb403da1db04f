"""A finished sweep to verify, told to a real MLflow, and ways to damage a copy of it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.verifying.gathering import Scope
from orchestrator.sweeps.verifying.report import CheckId, Verification, Violation
from orchestrator.sweeps.verifying.verify import verify
from tests.support.commands import Orch

NAME = "toy-1"
LEDGER_ONLY = Scope(mlflow=False)
"""Most damage is seen without MLflow, and looking there takes a second."""
SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0},
    "mode": {"type": "categorical", "choices": ["learn", "collapse", "raise"]},
}
STOP = [{"type": "collapse", "after_epochs": 2}]
POINTS = [{"mode": "learn", "x": 0.31}, {"mode": "raise"}, {"mode": "collapse"}]


def finished_sweep(folder: Path) -> Home:
    """Six trials, one after another, of which some fail and some are pruned."""
    orch = Orch(folder)
    file = orch.file(space=SPACE, points=POINTS, sampler={"type": "tpe", "startup_trials": 3}, stop=STOP, trials=6)
    done = orch.run("sweep", file, "--runner", "local")
    orch.close()
    assert done.code == 0, done.err
    return Home(orch.home)


@dataclass(frozen=True)
class Patient:
    """A sweep of one's own to damage."""

    home: Home

    @property
    def paths(self) -> SweepPaths:
        """Its files."""
        (folder,) = (self.home.root / "sweeps").iterdir()
        return self.home.sweep(folder.name)

    @contextmanager
    def ledger(self) -> Iterator[sqlite3.Connection]:
        """The ledger's tables, to change."""
        with closing(sqlite3.connect(self.home.root / "ledger.db")) as connection, connection:
            yield connection

    @contextmanager
    def mlflow(self) -> Iterator[sqlite3.Connection]:
        """MLflow's tables, to change."""
        with closing(sqlite3.connect(self.home.root / "mlflow.db")) as connection, connection:
            yield connection

    def run_of(self, trial: int) -> str:
        """The MLflow run of a trial."""
        query = "SELECT run_uuid FROM tags WHERE key = 'orch.trial' AND value = ?"
        with self.mlflow() as store:
            return store.execute(query, (str(trial),)).fetchone()[0]

    def verify(self, scope: Scope | None = None) -> Verification:
        """As the command does."""
        return verify(self.home, NAME, scope)

    def violations(self, check: CheckId, scope: Scope = LEDGER_ONLY) -> list[Violation]:
        """Of one check; every other check must be content."""
        verification = self.verify(scope)
        assert verification.broken in ([check], []), verification.to_json()
        return list(verification.outcomes[check].violations)


def copied(home: Home, folder: Path) -> Patient:
    """A copy of a home, which knows its own MLflow."""
    root = folder / "home"
    shutil.copytree(home.root, root)
    return Patient(Home(root, tracking=f"sqlite:///{root / 'mlflow.db'}"))


def copy_run(patient: Patient, run: str, *, trial: str | None = None) -> str:
    """A run with the same tags, a little younger; `trial` is another number. Returns its id."""
    other = f"{run[:-4]}beef"
    with patient.mlflow() as store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(runs)")]
        changed = {"run_uuid": "?", "start_time": "start_time + 1"}
        shown = ", ".join(changed.get(column, column) for column in columns)
        store.execute(f"INSERT INTO runs SELECT {shown} FROM runs WHERE run_uuid = ?", (other, run))
        store.execute(
            "INSERT INTO tags (key, value, run_uuid) SELECT key, value, ? FROM tags WHERE run_uuid = ?", (other, run)
        )
        if trial is not None:
            store.execute("UPDATE tags SET value = ? WHERE key = 'orch.trial' AND run_uuid = ?", (trial, other))
    return other
