"""The tracking room against the real MLflow: a server on a loopback port, and a SQLite store."""

import math
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.spec.model import SweepSpec
from orchestrator.tracking import Identity, Shipper, Tracker, shipper
from orchestrator.tracking.outbox import Outbox
from orchestrator.tracking.shipping import Shipping
from orchestrator.trial import Cause, Ending, Measurement, RunStatus, Suggestion, TrialRecord, TrialState
from tests.support.commands import wait_for
from tests.support.mlflow_server import Server

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SPEC = SweepSpec.model_validate(
    {
        "name": "toy",
        "trainable": "m:train",
        "objective": {"metric": "val/x", "direction": "maximize"},
        "space": {"lr": {"type": "float", "low": 0.1, "high": 1.0}},
        "budget": {"trials": 3},
    }
)
STEPS = 6
ENDED_MS = 1_700_000_001_000


def now_ms():
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["sqlite", "server"])
def uri(request, tmp_path_factory):
    if request.param == "server":
        return request.getfixturevalue("server").uri
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/mlflow.db"


class Sweep:
    """A toy sweep with its own experiment; opens trackers on one outbox and reads back what MLflow has."""

    def __init__(self, folder, name):
        self.outbox = folder / "outbox.db"
        self.identity = Identity(sweep="toy-1", sweep_id=name, experiment=name, artifacts=folder / "artifacts")

    def tracker(self, uri):
        return Tracker(self.outbox, identity=self.identity, shipper=Shipper(uri, now_ms=now_ms), now_ms=now_ms)

    def sync(self, uri, timeout_s=240):
        """As `orch sync` does; operations delivered, pending and rejected, and why not."""
        tracker = self.tracker(uri)
        tracker.flush(timeout_s)
        lag, error, shipped = tracker.lag, tracker.last_error, tracker.num_shipped
        tracker.close()
        return shipped, lag.num_pending, lag.num_rejected, error

    def runs(self, uri):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = client.get_experiment_by_name(self.identity.experiment)
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        return client, {run.data.tags.get("orch.trial", "parent"): run for run in runs}, runs


@pytest.fixture
def sweep(tmp_path, request):
    return Sweep(tmp_path, request.node.name)


def measurement(step):
    metrics = {"val/x": step / 7, "nan": math.nan, "up": math.inf, "down": -math.inf, "recall@1": 0.5}
    return Measurement(step, metrics, train_s=0.1, at_ms=1_700_000_000_000 + step)


def play(tracker, number, steps=range(STEPS), *, end=True):
    """One trial as the control loop tells it."""
    if 0 in steps:
        tracker.start_trial(Suggestion(number, {"lr": 0.1 * number}), {"lr": 0.1 * number, "epochs": STEPS})
    for step in steps:
        tracker.measure(number, measurement(step))
    if end:
        measured = [measurement(step) for step in steps]
        record = TrialRecord(number, TrialState.COMPLETE, {}, measured, value=0.5, best_step=2, ended_ms=ENDED_MS)
        tracker.end_trial(number, Ending(Cause.FINISHED, "all epochs"), record)


def check_complete(sweep, uri, numbers):
    """Exactly one run per trial, all children of one parent, each point exactly once."""
    client, by_number, runs = sweep.runs(uri)
    assert Counter(run.data.tags.get("orch.trial", "parent") for run in runs) == Counter(
        ["parent", *(str(number) for number in numbers)]
    )
    parent = by_number.pop("parent")
    for run in by_number.values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.info.status == "FINISHED"
        for name in ("val/x", "nan", "recall_1", "time/train_s"):
            assert [m.step for m in client.get_metric_history(run.info.run_id, name)] == list(range(STEPS))
        assert [m.value for m in client.get_metric_history(run.info.run_id, "val/x")] == [s / 7 for s in range(STEPS)]


def test_a_sweep_arrives_whole(sweep, uri, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "board.html").write_text("<p>")
    tracker = sweep.tracker(uri)
    tracker.start_sweep(SPEC, yaml="name: toy\n", tags={"orch.host": "h"}, description="why")
    for number in range(3):
        play(tracker, number)
    tracker.artifact(tmp_path / "plots", folder="plots")
    tracker.artifact(tmp_path / "plots" / "board.html", number=1)
    tracker.end_sweep("COMPLETE", RunStatus.FINISHED, at_ms=ENDED_MS)
    assert tracker.flush(240), tracker.last_error
    assert tracker.rejections() == []
    run_ids, parent_id = tracker.run_ids(), tracker.parent_run_id
    tracker.close()

    check_complete(sweep, uri, range(3))
    client, runs, _ = sweep.runs(uri)
    parent, child = runs["parent"], runs["1"]
    assert (parent.info.run_id, child.info.run_id) == (parent_id, run_ids[1])
    assert (parent.info.run_name, child.info.run_name) == ("toy-1", "0001 toy-1")
    assert parent.data.params["budget.trials"] == "3"
    assert parent.data.tags["mlflow.note.content"] == "why"
    assert child.data.params == {"lr": "0.1", "epochs": str(STEPS)}
    assert {child.data.tags[f"orch.{n}"] for n in ("sweep", "state", "reason")} == {"toy-1", "COMPLETE", "all epochs"}
    assert child.info.end_time == ENDED_MS
    assert math.isnan(child.data.metrics["nan"])
    assert child.data.metrics["up"] == sys.float_info.max
    assert child.data.metrics["down"] == -sys.float_info.max
    assert {f.path for f in client.list_artifacts(parent_id)} == {"plots", "sweep.yaml"}
    assert {f.path for f in client.list_artifacts(parent_id, "plots")} == {"plots/board.html"}
    assert {f.path for f in client.list_artifacts(run_ids[1])} == {"board.html", "config.json"}


def test_a_resumed_sweep_goes_on_with_the_same_runs(sweep, uri):
    first = sweep.tracker(uri)
    first.start_sweep(SPEC, yaml="", tags={})
    play(first, 0, range(3), end=False)
    first.end_trial(0, None, TrialRecord(0, TrialState.PAUSED, {}))
    first.end_sweep("INTERRUPTED", RunStatus.KILLED, at_ms=ENDED_MS)
    assert first.flush(240), first.last_error
    first.close()
    _, runs, _ = sweep.runs(uri)
    assert (runs["0"].info.status, runs["0"].data.tags["orch.state"]) == ("KILLED", "PAUSED")

    second = sweep.tracker(uri)
    larger = SPEC.model_copy(update={"budget": SPEC.budget.model_copy(update={"trials": 5})})
    second.start_sweep(larger, yaml="", tags={})
    second.start_trial(Suggestion(0, {"lr": 0.0}, attempt=2), {"lr": 0.0, "epochs": STEPS})
    assert second.flush(240), second.last_error
    _, runs, _ = sweep.runs(uri)
    assert {run.info.status for run in runs.values()} == {"RUNNING"}
    play(second, 0, range(3, STEPS))
    second.end_sweep("COMPLETE", RunStatus.FINISHED, at_ms=ENDED_MS)
    assert second.flush(240), second.last_error
    assert second.rejections() == []
    second.close()
    check_complete(sweep, uri, [0])
    _, runs, _ = sweep.runs(uri)
    assert runs["parent"].data.params["budget.trials"] == "3"
    assert runs["parent"].data.tags["orch.now.budget.trials"] == "5"


class LosesReplies(Shipper):
    """Ships in a thread of this process, with a client that creates each run and says that it did not."""

    def __init__(self, uri, monkeypatch):
        from mlflow.tracking import MlflowClient

        create_run, self.lost = MlflowClient.create_run, []

        def create_and_lose(client, *args, **kwargs):
            run = create_run(client, *args, **kwargs)
            if kwargs["run_name"] not in self.lost:
                self.lost.append(kwargs["run_name"])
                raise ConnectionError("the reply was lost")
            return run

        monkeypatch.setattr(MlflowClient, "create_run", create_and_lose)
        monkeypatch.setattr(shipper, "COMMAND", (sys.executable, "-c", "input()"))
        self.uri = uri
        super().__init__(uri, now_ms=now_ms)

    def begin(self, outbox, identity):
        super().begin(outbox, identity)
        self.loop = Shipping(
            outbox, identity=identity, tracking_uri=self.uri, now_ms=now_ms, report=lambda report: None
        )
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def flush(self, timeout_s):
        end_s = time.monotonic() + timeout_s
        while self.lag.num_pending and time.monotonic() < end_s:
            time.sleep(0.05)
        return self.lag.num_pending == 0

    def close(self, *, timeout_s=5.0):
        self.loop.close()
        self.thread.join()
        super().close(timeout_s=timeout_s)


def test_a_reply_lost_after_create_run_makes_no_second_run(sweep, uri, monkeypatch):
    loses = LosesReplies(uri, monkeypatch)
    tracker = Tracker(sweep.outbox, identity=sweep.identity, shipper=loses, now_ms=now_ms)
    tracker.start_sweep(SPEC, yaml="", tags={})
    play(tracker, 0)
    assert tracker.flush(240), tracker.last_error
    tracker.close()
    assert loses.lost == ["toy-1", "0000 toy-1"]
    check_complete(sweep, uri, [0])


def test_what_mlflow_refuses_is_reported_and_holds_up_nothing(sweep, uri):
    tracker = sweep.tracker(uri)
    tracker.start_sweep(SPEC, yaml="", tags={})
    tracker.start_trial(Suggestion(0, {}), {"epochs": STEPS})
    tracker.measure(0, Measurement(0, {"/root": 1.0}, 0.1, 1))
    tracker.artifact(Path("/nowhere/at/all"), number=0)
    play(tracker, 0)
    assert tracker.flush(240), tracker.last_error
    metric, artifact = tracker.rejections()
    assert metric.startswith("log_metrics of trial 0: ")
    assert "/root" in metric
    assert artifact.startswith("log_artifact of trial 0: ")
    tracker.close()
    check_complete(sweep, uri, [0])


def test_a_store_that_is_never_there_delays_nobody_and_sync_delivers_later(sweep, uri):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    tracker = sweep.tracker(closed)
    tracker.start_sweep(SPEC, yaml="", tags={})
    seconds = []
    for number in range(20):
        tracker.start_trial(Suggestion(number, {}), {"epochs": STEPS})
        for step in range(STEPS):
            begin = time.perf_counter()
            tracker.measure(number, measurement(step))
            seconds.append(time.perf_counter() - begin)
        play(tracker, number, range(0))
    assert statistics.median(seconds) < 0.005
    assert not tracker.flush(1)
    assert tracker.lag.num_pending > 100
    wait_for(lambda: tracker.last_error is not None, timeout=60)
    assert "API request" in tracker.last_error
    begin = time.perf_counter()
    tracker.close()
    assert time.perf_counter() - begin < 5
    shipped, *rest = sweep.sync(uri)
    assert rest == [0, 0, None]
    assert shipped > 100
    check_complete(sweep, uri, range(20))


SHIP_FOR_EVER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from tests.integration.test_mlflow_shipping import Sweep, SPEC, STEPS, play

sweep = Sweep(Path(sys.argv[1]), sys.argv[2])
tracker = sweep.tracker(sys.argv[3])
tracker.start_sweep(SPEC, yaml="", tags={})
for number in range(60):
    play(tracker, number)
    print(number, flush=True)
    time.sleep(0.1)
time.sleep(60)
"""


def kill_while_shipping(sweep, uri, after_s):
    """Run a driver in a process, kill it `after_s` after its first deliveries; the last trial it has told whole."""
    command = [sys.executable, "-W", "ignore", "-c", SHIP_FOR_EVER]
    command += [str(sweep.outbox.parent), sweep.identity.sweep_id, uri, str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            process.stdout.readline()
            wait_for_runs(sweep, 3)
            time.sleep(after_s)
        finally:
            os.kill(process.pid, signal.SIGKILL)
        return max(int(line) for line in process.stdout.read().splitlines() if line)


def wait_for_runs(sweep, num_runs, timeout_s=240):
    """Wait until the driver knows so many runs; reads its outbox, not MLflow, so as not to disturb either."""
    reader = Outbox(sweep.outbox)
    end = time.monotonic() + timeout_s
    while len(reader.runs()) < num_runs:
        assert time.monotonic() < end
        time.sleep(0.01)
    reader.close()


@pytest.mark.parametrize("after_s", [0.0, pytest.param(0.33, marks=pytest.mark.slow)])
def test_kill_9_while_shipping_then_sync_leaves_no_duplicate(sweep, uri, after_s):
    num_told = kill_while_shipping(sweep, uri, after_s)
    tracker = sweep.tracker(uri)  # the trial that was cut off is told to its end
    play(tracker, num_told + 1)
    tracker.close(timeout_s=0)
    _, *rest = sweep.sync(uri)
    assert rest == [0, 0, None]
    check_complete(sweep, uri, range(num_told + 2))


@pytest.mark.slow
def test_a_server_that_stops_in_the_middle_is_caught_up_with(sweep, tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        tracker = sweep.tracker(server.uri)
        tracker.start_sweep(SPEC, yaml="", tags={})
        play(tracker, 0)
        play(tracker, 1, range(3), end=False)
        assert tracker.flush(240), tracker.last_error
        play(tracker, 2, range(2), end=False)
        server.stop()
        play(tracker, 1, range(3, STEPS))
        play(tracker, 2, range(2, STEPS))
        play(tracker, 3)
        assert not tracker.flush(1)
        assert tracker.lag.num_pending > 0
        server.start()
        assert tracker.flush(240), tracker.last_error
        tracker.close()
        check_complete(sweep, server.uri, range(4))
    finally:
        server.stop()
        shutil.rmtree(tmp_path / "served", ignore_errors=True)
