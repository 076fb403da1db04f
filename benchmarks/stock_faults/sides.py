"""The two sides: how each starts a sweep, goes on with it, and where it keeps what is counted."""

import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

from ray.tune import ExperimentAnalysis

from benchmarks.stock_faults import stock
from benchmarks.stock_faults.counts import Places, Recorded
from benchmarks.stock_faults.question import Question
from benchmarks.stock_faults.toy import METRIC
from orchestrator.spec import SweepSpec, dump
from orchestrator.study import Storage

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 400.0


class Side(ABC):
    """One side of one scenario; every process it starts is ended with it."""

    name: str
    places: Places

    def __init__(self, question: Question) -> None:
        self.question = question
        self._started: list[subprocess.Popen[str]] = []

    @abstractmethod
    def start(self) -> "subprocess.Popen[str]":
        """Begin the sweep."""

    @abstractmethod
    def go_on(self) -> "subprocess.Popen[str]":
        """The one command that goes on with it."""

    @abstractmethod
    def record(self) -> list[Recorded]:
        """The trials as its own record has them."""

    @abstractmethod
    def torn_file(self) -> Path:
        """The file that a power cut tears."""

    def end(self, process: "subprocess.Popen[str]") -> str:
        """Wait for the end; the exit code, or that there was none in time."""
        try:
            process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"none in {LIMIT_S:g} s"
        code = process.returncode
        return str(code if code >= 0 else 128 - code)  # as a shell shows it

    def close(self) -> None:
        """Kill what is left of each process group."""
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()

    def _run(self, *arguments: str) -> "subprocess.Popen[str]":
        log = (Path(self.question.folder) / "log").open("a")
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ORCH_", "MLFLOW_T"))}
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=kept | quiet,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._started.append(process)
        return process


class Stock(Side):
    """Ray Tune with OptunaSearch and MLflowLoggerCallback."""

    name = "stock"

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        url = stock.study_url(question) if question.in_storage else None
        self.places = Places(study=stock.NAME, study_url=url, experiment=stock.NAME, trial_tag="trial_name")

    def start(self) -> "subprocess.Popen[str]":
        """A new Tuner."""
        return self._script()

    def go_on(self) -> "subprocess.Popen[str]":
        """Restore it, when it can be restored."""
        return self._script()

    def again(self) -> "subprocess.Popen[str]":
        """A new Tuner for what is missing, on the same study."""
        return self._script("--again")

    def record(self) -> list[Recorded]:
        """The newest experiment state."""
        try:
            trials = ExperimentAnalysis(str(self._folder)).trials or []
        except Exception:  # it cannot be read: nothing is recorded
            return []
        return [Recorded(trial.config["x"], trial.status in ("TERMINATED", "ERROR")) for trial in trials]

    def torn_file(self) -> Path:
        """The experiment state, which is written over in place."""
        return max(self._folder.glob("experiment_state-*.json"), key=lambda path: path.stat().st_mtime)

    @property
    def _folder(self) -> Path:
        return Path(self.question.folder) / "ray" / stock.NAME

    def _script(self, *options: str) -> "subprocess.Popen[str]":
        return self._run("benchmarks.stock_faults.stock", json.dumps(self.question.to_json()), *options)


class Orch(Side):
    """The same question as a sweep file."""

    name = "Orch"
    sweep = "faults-1"

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self._home = Path(question.folder) / "home"
        self.places = Places(
            study=self.sweep, study_url=f"sqlite:///{self._ledger}", experiment="orch", trial_tag="orch.trial"
        )

    @property
    def _ledger(self) -> Path:
        return self._home / "ledger.db"

    def start(self) -> "subprocess.Popen[str]":
        """`orch sweep`."""
        file = Path(self.question.folder) / "sweep.yaml"
        file.write_text(dump(self._spec()))
        return self._orch("sweep", str(file))

    def go_on(self) -> "subprocess.Popen[str]":
        """`orch resume`."""
        return self._orch("resume", self.sweep)

    def record(self) -> list[Recorded]:
        """The ledger."""
        with closing(Storage(f"sqlite:///{self._ledger}")) as storage:
            records = storage.open(self.sweep).records()
        return [Recorded(float(record.params["x"]), record.state.is_terminal) for record in records]

    def torn_file(self) -> Path:
        """What MLflow has not got yet."""
        (outbox,) = self._home.glob("sweeps/*/outbox.db")
        return outbox

    def _orch(self, command: str, what: str) -> "subprocess.Popen[str]":
        where = ("--home", str(self._home), "--tracking-uri", self.question.tracking)
        return self._run("orchestrator", command, what, *where)

    def _spec(self) -> SweepSpec:
        question = self.question
        budget: dict[str, object] = {"trials": question.trials}
        if question.deadline_s is not None:
            budget["wall_hours"] = question.deadline_s / 3600
        asha = {"type": "asha", "min_epochs": 1, "reduction_factor": 2}
        return SweepSpec.model_validate(
            {
                "name": "faults",
                "trainable": "benchmarks.stock_faults.toy:train",
                "objective": {"metric": METRIC, "direction": "maximize"},
                "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
                "config": question.config,
                "pruner": asha if question.asha else {"type": "none"},
                "budget": budget,
                "resources": {"cpu": 1, "gpu": 0.0, "max_concurrent": 2, "checkpoint_interval_s": 0.0},
            }
        )
