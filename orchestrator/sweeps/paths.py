"""Where things are kept. `Home` is what all sweeps share, `SweepPaths` owns every file name of one sweep.

A sweep's id comes from a ledger, which others may have written: it can name a folder here and nothing else.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.dataclasses import dataclass as checked_dataclass

from orchestrator.errors import IntegrityError
from orchestrator.execution.checkpoint_names import step_folder, steps_in, trial_folder
from orchestrator.trial import TrialRecord

ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"


@checked_dataclass(frozen=True, slots=True)
class Home:
    """A folder with the ledger, the local MLflow store and the sweeps, or the URLs that replace them.

    Attributes:
        root: `ORCH_HOME`, default `.orch` in the working directory.
        ledger: a database URL, when the ledger is not in `root`; it may hold a password.
        tracking: an MLflow URI, when the runs are not in `root`; it may hold a password.
        storage: a folder for checkpoints that all nodes of a cluster see, when `root` is not one.
    """

    root: Path
    ledger: SecretStr | None = None
    tracking: SecretStr | None = None
    storage: Path | None = None

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger.get_secret_value() if self.ledger else f"sqlite:///{self.ledger_file}"

    @property
    def ledger_file(self) -> Path:
        """The ledger when it is in `root`."""
        return self.root.absolute() / "ledger.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking URI."""
        return self.tracking_of(None)

    def tracking_of(self, recorded: str | None) -> str:
        """The URI of a sweep that was launched with `recorded`: what is asked for now goes first.

        What is recorded has no password: it comes from the environment, or with what is asked for.
        """
        if self.tracking:
            return self.tracking.get_secret_value()
        return recorded or f"sqlite:///{self.root.absolute() / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """Artifacts of a local MLflow store."""
        return self.root.absolute() / "artifacts"

    @property
    def has_sweeps(self) -> bool:
        """Whether a sweep has left its question here."""
        return any((self.root / "sweeps").glob("*/sweep.yaml"))

    def sweep(self, sweep_id: str) -> "SweepPaths":
        """The files of one sweep.

        Raises:
            IntegrityError: the id is no name of a folder, or a file of the sweep is a symbolic link.
        """
        if re.fullmatch(ID_PATTERN, sweep_id) is None:
            raise IntegrityError(f"the ledger is damaged: {sweep_id[:100]!r} is not the id of a sweep")
        folder = self.root.absolute() / "sweeps" / sweep_id
        storage = self.storage.absolute() / sweep_id if self.storage else folder
        paths = SweepPaths(folder, storage)
        paths.refuse_links()
        return paths


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """The files of one sweep: `folder` is read by the driver alone, `storage` by every node."""

    folder: Path
    storage: Path

    def refuse_links(self) -> None:
        """Raises: IntegrityError: a file or folder of the sweep is a symbolic link; none is followed."""
        owned = (self.spec, self.outbox, self.lock, self.stop_request, self.report, self.checkpoints, self.tune)
        for path in (self.folder, self.storage, *owned):
            if path.is_symlink():
                raise IntegrityError(f"{path} is a symbolic link; a sweep's own files are not: remove it")

    @property
    def spec(self) -> Path:
        """The sweep file as it was launched."""
        return self.folder / "sweep.yaml"

    @property
    def outbox(self) -> Path:
        """What MLflow has not got yet."""
        return self.folder / "outbox.db"

    @property
    def lock(self) -> Path:
        """Held by the driver."""
        return self.folder / "lock"

    @property
    def stop_request(self) -> Path:
        """Its appearance asks the driver to pause."""
        return self.folder / "stop"

    @property
    def report(self) -> Path:
        """Leaderboard and plots."""
        return self.folder / "report"

    @property
    def checkpoints(self) -> Path:
        """All trials' checkpoints."""
        return self.storage / "checkpoints"

    def checkpoints_of(self, trial: TrialRecord) -> dict[str, Path]:
        """The `best` and `last` checkpoints that a trial has."""
        folder = trial_folder(self.checkpoints, trial.number)
        steps = steps_in(folder)
        found = {"last": step_folder(folder, steps[-1])} if steps else {}
        if trial.best_step in steps:
            found["best"] = step_folder(folder, trial.best_step)
        return found

    @property
    def tune(self) -> Path:
        """Ray Tune's own files; gone after the sweep."""
        return self.storage / "tune"
