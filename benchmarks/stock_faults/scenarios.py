"""The faults, each done to both sides at the same moment, and what is right afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.tracking import MlflowClient

from benchmarks.stock_faults.counts import Counts, count, diary, tear
from benchmarks.stock_faults.question import Question
from benchmarks.stock_faults.sides import LIMIT_S, Orch, Side, Stock
from tests.support.mlflow_server import Server

Process = subprocess.Popen[str]
Fault = Callable[[Side, Process], None]
SERVER_AWAY_S = 20.0


@dataclass(frozen=True)
class AtMost:
    """A count that is right up to here."""

    most: float

    def __str__(self) -> str:
        return f"at most {self.most:g}"


Right = int | str | AtMost | None
"""What a count must be; None is shown and not judged."""


def is_right(value: object, right: Right) -> bool:
    """Whether a count is as it must be; what a side does not have cannot be wrong."""
    if value is None or right is None:
        return True
    return float(str(value)) <= right.most if isinstance(right, AtMost) else value == right


@dataclass(frozen=True)
class Scenario:
    """One fault.

    Attributes:
        what: what is done, on both sides.
        moments: the fault comes when so many epochs have been trained, once for each; empty: it lies in the question.
        fault: done to the running command.
        between: done to the files before the sweep is gone on with.
        goes_on: whether a second command goes on with the sweep.
        right: the counts that are shown, and what they must be.
    """

    title: str
    what: str
    right: Mapping[str, Right]
    question: Mapping[str, object] = field(default_factory=dict)
    moments: tuple[int, ...] = (28,)
    fault: Fault | None = None
    between: Callable[[Side], None] | None = None
    goes_on: Callable[[Side], Process] | None = None
    sides: tuple[type[Side], ...] = (Stock, Orch)
    server: bool = False

    def run(self, side_type: type[Side], folder: Path) -> list[Counts]:
        """All moments, one after the other."""
        return [self._run(side_type, folder / str(moment), moment) for moment in self.moments or (0,)]

    def _run(self, side_type: type[Side], folder: Path, moment: int) -> Counts:
        folder.mkdir(parents=True)
        server = Server(folder) if self.server else None
        uri = server.uri if server else None
        side = side_type(Question(str(folder), tracking_uri=uri, **self.question))  # type: ignore[arg-type]
        if server:
            server.start()
        MlflowClient(tracking_uri=side.question.tracking).search_experiments()  # makes a store's tables: nobody races
        try:
            return self._measure(side, moment, server)
        finally:
            side.close()
            if server:
                server.stop()

    def _measure(self, side: Side, moment: int, server: Server | None) -> Counts:
        process = side.start()
        if moment:
            _wait_for_epochs(side, process, moment)
        before = diary(side.question)
        if self.fault is not None:
            self.fault(side, process)
        if server:
            server.stop()
            time.sleep(SERVER_AWAY_S)
            server.start()
        codes = [side.end(process)]
        if self.between is not None:
            self.between(side)
        while self.goes_on is not None and len(codes) < 3 and codes[1:] != ["0"]:
            codes.append(side.end(self.goes_on(side)))
        return count(side.question, side.places, side.record(), exit_codes=codes, before=before)


def _wait_for_epochs(side: Side, process: Process, epochs: int) -> None:
    end = time.monotonic() + LIMIT_S
    while len(diary(side.question)) < epochs:
        if process.poll() is not None or time.monotonic() > end:
            log = (Path(side.question.folder) / "log").read_text()[-2000:]
            raise RuntimeError(f"{side.name} has not trained {epochs} epochs: exit code {process.poll()}\n{log}")
        time.sleep(0.02)


def _kill(side: Side, process: Process) -> None:
    process.kill()


def _interrupt(side: Side, process: Process) -> None:
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C


def _terminate(side: Side, process: Process) -> None:
    process.send_signal(signal.SIGTERM)


def _delete_a_run(side: Side, process: Process) -> None:
    """What somebody does in MLflow's pages."""
    client = MlflowClient(tracking_uri=side.question.tracking)
    while process.poll() is None:
        experiment = client.get_experiment_by_name(side.places.experiment)
        running = client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'") if experiment else []
        of_trials = [run.info.run_id for run in running if side.places.trial_tag in run.data.tags]
        if of_trials:
            client.delete_run(of_trials[0])
            return
        time.sleep(0.1)
    raise AssertionError("the sweep has ended before a run could be deleted")


def _go_on(side: Side) -> Process:
    return side.go_on()


def _again(side: Side) -> Process:
    assert isinstance(side, Stock)
    return side.again()


_WHOLE: Mapping[str, Right] = {
    "recorded": 12,
    "unended": 0,
    "lost": 0,
    "twice": AtMost(2),
    "again": AtMost(2),
    "repeated": 0,
    "optuna_running": 0,
    "optuna_wrong": 0,
    "runs": 12,
    "doubled_runs": 0,
    "running_runs": 0,
    "orphan_runs": 0,
    "points": 48,
}
"""What every sweep should have that ran to its end after one fault. Two epochs are under way when it comes: not more
than these are trained again."""
_SLOW: Mapping[str, object] = {"epoch_s": 1.5}
"""So that Tune, which saves its state at most every 10 s, has saved it before the driver is killed."""

SCENARIOS = (
    Scenario(
        "The driver is killed",
        "`kill -9` of the driver after 24, 32 and 40 of 48 epochs of 1.5 s; then `Tuner.restore`, `orch resume`. The "
        "Optuna study is in a database.",
        {"exit_codes": "137, 0", **_WHOLE},
        question=_SLOW,
        moments=(24, 32, 40),
        fault=_kill,
        goes_on=_go_on,
    ),
    Scenario(
        "The driver is killed, and the study was in memory",
        "The same after 32 epochs with OptunaSearch's default, a study in memory that Tune saves with its own state. "
        "Orch has no such mode.",
        {"exit_codes": "137, 0", **_WHOLE},
        question={**_SLOW, "in_storage": False},
        moments=(32,),
        fault=_kill,
        goes_on=_go_on,
        sides=(Stock,),
    ),
    Scenario(
        "The driver is killed, and one starts again",
        "`kill -9` after 32 epochs; then a new Tuner for the missing trials on the same Optuna study with the same "
        "seed, as one does who cannot restore. Orch needs no second way.",
        {"exit_codes": "137, 0", "repeated": 0, "optuna_running": 0, "doubled_runs": 0, "running_runs": 0},
        question=_SLOW,
        moments=(32,),
        fault=_kill,
        goes_on=_again,
        sides=(Stock,),
    ),
    Scenario(
        "A worker is killed",
        "The first worker in epoch 3 of a trial ends itself with SIGKILL; stock has `max_failures=3`.",
        {"exit_codes": "0", **_WHOLE},
        question={"worker_dies": True},
        moments=(),
    ),
    Scenario(
        "Ctrl-C",
        "SIGINT to the whole process group after 28 epochs; then `Tuner.restore`, `orch resume`.",
        {"exit_codes": "130, 0", **_WHOLE},
        fault=_interrupt,
        goes_on=_go_on,
    ),
    Scenario(
        "SIGTERM",
        "SIGTERM to the driver after 28 epochs, as a batch system sends it; then `Tuner.restore`, `orch resume`.",
        {"exit_codes": "143, 0", **_WHOLE},
        fault=_terminate,
        goes_on=_go_on,
    ),
    Scenario(
        "The time is up",
        "`time_budget_s` and `budget.wall_hours` of 15 s for 40 trials. Nothing goes on afterwards. Orch keeps the "
        "trials that it paused open in Optuna on purpose: `orch resume` goes on with them.",
        {"exit_codes": None, "unended": None, "optuna_running": None, "optuna_wrong": 0, "running_runs": 0},
        question={"trials": 40, "deadline_s": 15.0},
        moments=(),
    ),
    Scenario(
        "The objective is NaN",
        "A trial with x above 0.6 has NaN from epoch 1 on.",
        {"exit_codes": "0", "recorded": 12, "unended": 0, "after_nan": 0, "optuna_running": 0, "running_runs": 0},
        question={"nan_above": 0.6},
        moments=(),
    ),
    Scenario(
        "Trials are stopped early",
        "No fault: ASHA (first rung 1, factor 2). What is Optuna told of a trial that was stopped?",
        {"exit_codes": "0", "recorded": 12, "unended": 0, "optuna_running": 0, "optuna_wrong": 0, "running_runs": 0},
        question={"asha": True},
        moments=(),
    ),
    Scenario(
        "MLflow's server is away",
        "`kill -9` of the MLflow server after 8 epochs of 1.5 s; it is started again after 20 s. When the sweep has "
        "ended `Tuner.restore` and `orch resume` find nothing left to train; what MLflow has missed may be delivered.",
        {"exit_codes": "0, 0", **_WHOLE, "gap_s": AtMost(10)},
        question=_SLOW,
        moments=(8,),
        goes_on=_go_on,
        server=True,
    ),
    Scenario(
        "A run is deleted in MLflow",
        "Somebody deletes the run of a running trial after 16 epochs of 1.5 s: MLflow refuses what is sent to it from "
        "then on. The callback raises.",
        {"exit_codes": "0", "recorded": 12, "unended": 0, "lost": 0, "optuna_running": 0, "running_runs": AtMost(1)},
        question=_SLOW,
        moments=(16,),
        fault=_delete_a_run,
    ),
    Scenario(
        "A file is torn",
        "`kill -9` after 32 epochs, and the file written last is cut in half, as a power cut does: Tune's "
        "`experiment_state-*.json`, which is written over in place, and Orch's outbox for MLflow. Orch's ledger is a "
        "database with a journal; a ledger cut in half is not promised to be read.",
        {"exit_codes": "137, 0", **_WHOLE},
        question=_SLOW,
        moments=(32,),
        fault=_kill,
        between=lambda side: tear(side.torn_file()),
        goes_on=_go_on,
    ),
)
