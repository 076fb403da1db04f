"""What a scenario asks of both sides, as one frozen value that travels to the stock script as JSON."""

from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Question:
    """A sweep of the toy.

    Attributes:
        folder: where everything of one side of one scenario is.
        in_storage: stock only: Optuna's study is in a database and not in memory.
        deadline_s: the budget of wall time.
        tracking_uri: MLflow; None is a SQLite file in the folder.
    """

    folder: str
    trials: int = 12
    epochs: int = 4
    epoch_s: float = 0.5
    asha: bool = False
    nan_above: float = 2.0
    worker_dies: bool = False
    in_storage: bool = True
    deadline_s: float | None = None
    tracking_uri: str | None = None

    @property
    def config(self) -> dict[str, object]:
        """The fixed part of the toy's Config."""
        return {
            "epochs": self.epochs,
            "epoch_s": self.epoch_s,
            "nan_above": self.nan_above,
            "kills_itself": str(Path(self.folder) / "killed") if self.worker_dies else "",
            "diary": str(self.diary),
        }

    @property
    def diary(self) -> Path:
        """What was trained."""
        return Path(self.folder) / "diary"

    @property
    def tracking(self) -> str:
        """MLflow's URI."""
        return self.tracking_uri or f"sqlite:///{self.folder}/mlflow.db"

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)
