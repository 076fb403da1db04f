"""Real `orch` commands in real processes, and what they leave in ledger and MLflow."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.spec.dumping import dump
from orchestrator.study import Storage
from orchestrator.trial import TrialRecord
from tests.support import failpoints
from tests.support.failpoints import FailPoint
from tests.support.specs import toy_spec

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


class Orch:
    """The `orch` command with a home of its own; every process it starts is ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object, cwd: Path = ROOT, failing: Sequence[FailPoint] = ()) -> subprocess.Popen[str]:
        """Begin a command in a process group of its own, as a shell does; with fail-points where they are given."""
        environment = {**os.environ, "ORCH_HOME": str(self.home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment |= failpoints.environment(failing)
        orch = [str(Path(sys.executable).with_name("orch"))]
        command = [sys.executable, "-m", "tests.support.failing_orch"] if failing else orch
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(
        self, *arguments: object, timeout: float = 120, cwd: Path = ROOT, failing: Sequence[FailPoint] = ()
    ) -> Done:
        """A command from start to end."""
        return self.end(self.start(*arguments, cwd=cwd, failing=failing), timeout=timeout)

    @staticmethod
    def end(process: "subprocess.Popen[str]", *, timeout: float = 120) -> Done:
        """Wait for a command's end."""
        begin = time.monotonic()
        out, err = process.communicate(timeout=timeout)
        return Done(process.returncode, out, err, time.monotonic() - begin)

    def file(self, **sections: object) -> Path:
        """A sweep file for the toy."""
        path = self.folder / f"sweep-{len(list(self.folder.glob('*.yaml')))}.yaml"
        path.write_text(dump(toy_spec(**sections)))
        return path

    def records(self, sweep: str = "toy-1") -> list[TrialRecord]:
        """The trials as the ledger has them; none before the sweep exists."""
        storage = Storage(f"sqlite:///{self.home / 'ledger.db'}")
        try:
            return storage.open(sweep).records() if sweep in storage.names else []
        finally:
            storage.close()

    def num_measured(self) -> int:
        """Measurements that are stored; cheap, because it is asked again and again while a sweep runs."""
        file = self.home / "ledger.db"
        if not file.exists():
            return 0
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as ledger:
            try:
                query = "select count(*) from trial_user_attributes where key like 'step:%'"
                return int(ledger.execute(query).fetchone()[0])
            except sqlite3.OperationalError:
                return 0

    def runs(self, uri: str | None = None) -> list[tuple[str, int | None, str]]:
        """Sweep, trial number (None for the sweep's own run) and status of each MLflow run; in the home's own store."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri or f"sqlite:///{self.home / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("orch")
        found = client.search_runs([experiment.experiment_id], max_results=50_000) if experiment else []
        return [
            (
                run.data.tags["orch.sweep"],
                int(run.data.tags["orch.trial"]) if "orch.trial" in run.data.tags else None,
                run.info.status,
            )
            for run in found
        ]

    def close(self) -> None:
        """Kill what is left of each command's group."""
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()
            process.stdout.close()
            process.stderr.close()


def wait_for(condition, *, timeout: float = 60, what: str = "it") -> None:
    """Look again and again until a condition holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in {timeout} s"
        time.sleep(0.05)


def diary_lines(path: Path) -> list[str]:
    """What the toy has noted so far."""
    return path.read_text().splitlines() if path.exists() else []
