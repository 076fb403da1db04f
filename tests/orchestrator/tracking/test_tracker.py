import json
import statistics
import time

import pytest

from orchestrator.spec.model import SweepSpec
from orchestrator.tracking.operations import EndTrial
from orchestrator.tracking.outbox import Identity, Outbox
from orchestrator.tracking.shipper import Shipper
from orchestrator.tracking.told import SWEEP_STARTED, facts_of, sweep_end_told
from orchestrator.tracking.tracker import Tracker
from orchestrator.trial import Cause, Ending, Measurement, RunStatus, Suggestion, TrialRecord, TrialState
from tests.support.no_mlflow import without_mlflow

SPEC = SweepSpec.model_validate(
    {
        "name": "toy",
        "trainable": "m:train",
        "objective": {"metric": "val/x", "direction": "maximize"},
        "space": {"lr": {"type": "float", "low": 0.1, "high": 1.0}},
        "budget": {"trials": 3},
    }
)


def shipper():
    return Shipper("x", now_ms=lambda: 1234)


@pytest.fixture
def said(tmp_path, monkeypatch):
    """A tracker whose store never answers, and a function that lists what it has said so far."""
    without_mlflow(monkeypatch)
    identity = Identity(sweep="toy-1", sweep_id="id", experiment="e", artifacts=tmp_path)
    tracker = Tracker(tmp_path / "outbox.db", identity=identity, shipper=shipper(), now_ms=lambda: 1234)
    reader = Outbox(tmp_path / "outbox.db")
    yield tracker, lambda: [entry.operation for entry in reader.pending(100_000)]
    reader.close()
    tracker.close()


def test_the_sweep_starts_with_its_settings_and_its_file(said):
    tracker, operations = said
    tracker.start_sweep(SPEC, yaml="name: toy\n", tags={"orch.host": "h"}, description="why")
    start, text = operations()
    assert start.name == "toy-1"
    assert start.params["budget.trials"] == "3"
    assert start.params["sampler.type"] == "tpe"
    assert start.params["objective.direction"] == "maximize"
    assert not any(name.startswith("space") for name in start.params)
    assert start.tags == {"orch.host": "h", "mlflow.note.content": "why", "orch.state": "RUNNING"}
    assert (text.text, text.artifact_file) == ("name: toy\n", "sweep.yaml")


def test_a_trial_starts_with_its_whole_config(said):
    tracker, operations = said
    config = {"optimizer": {"lr": 0.5, "name": "adam"}, "epochs": 3}
    tracker.start_trial(Suggestion(7, {"optimizer.lr": 0.5}, attempt=2), config)
    start, text = operations()
    assert (start.number, start.name) == (7, "0007 toy-1")
    assert start.params == {"optimizer.lr": "0.5", "optimizer.name": "adam", "epochs": "3"}
    assert start.tags == {"orch.state": "RUNNING", "orch.attempt": "2"}
    assert json.loads(text.text) == config


def test_a_measurement_keeps_its_step_and_time(said):
    tracker, operations = said
    tracker.measure(0, Measurement(3, {"val/x": 0.5}, train_s=0.2500004, at_ms=99))
    (logged,) = operations()
    assert (logged.step, logged.at_ms) == (3, 99)
    assert logged.metrics == {"val/x": 0.5, "time/train_s": 0.25}


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (Cause.FINISHED, RunStatus.FINISHED),
        (Cause.SETTLED, RunStatus.KILLED),
        (Cause.SICK, RunStatus.KILLED),
        (Cause.PRUNED, RunStatus.KILLED),
        (Cause.DIVERGED, RunStatus.FAILED),
        (Cause.ERROR, RunStatus.FAILED),
        (Cause.WORKER_LOST, RunStatus.FAILED),
    ],
)
def test_each_cause_has_its_status_and_its_reason(said, cause, status):
    tracker, operations = said
    record = TrialRecord(0, TrialState.PRUNED, {}, ended_ms=77)
    tracker.end_trial(0, Ending(cause, "why", {"rung": 3}), record)
    (end,) = operations()
    assert (end.status, end.end_ms) == (status, 77)
    assert end.tags["orch.reason"] == "why"
    assert end.tags["orch.cause"] == cause.value
    assert json.loads(end.tags["orch.detail"]) == {"rung": 3}


def test_the_end_keeps_the_best_value_and_the_decisions(said):
    tracker, operations = said
    measured, decisions = [Measurement(2, {"val/x": 0.5}, 0.1, 44)], [{"rung": 1, "cutoff": 0.6}]
    record = TrialRecord(0, TrialState.PRUNED, {}, measured, value=0.5, best_step=2, decisions=decisions)
    tracker.end_trial(0, Ending(Cause.PRUNED, "rung 1"), record)
    metrics, decisions, end = operations()
    assert (metrics.metrics, metrics.step, metrics.at_ms) == ({"best_value": 0.5}, 2, 44)
    assert json.loads(decisions.text) == [{"rung": 1, "cutoff": 0.6}]
    assert (end.tags["orch.value"], end.tags["orch.best_step"]) == ("0.5", "2")


def test_a_paused_trial_is_killed_with_its_state_and_runs_again_later(said):
    tracker, operations = said
    tracker.end_trial(0, None, TrialRecord(0, TrialState.PAUSED, {}))
    tracker.start_trial(Suggestion(0, {}, attempt=2), {})
    end, start, _ = operations()
    assert (end.status, end.tags["orch.state"]) == (RunStatus.KILLED, "PAUSED")
    assert start.tags["orch.state"] == "RUNNING"


def test_artifacts_tags_and_the_end_of_the_sweep(said, tmp_path):
    tracker, operations = said
    tracker.artifact(tmp_path / "board.html", folder="plots")
    tracker.text("a,b\n", name="board.csv", number=1)
    tracker.tag(None, {"a": "b"})
    tracker.end_sweep("STOPPED", RunStatus.KILLED, at_ms=1234)
    file, text, tags, end = operations()
    assert (file.path, file.artifact_path, file.number) == (str(tmp_path / "board.html"), "plots", None)
    assert (text.artifact_file, text.number) == ("board.csv", 1)
    assert tags.tags == {"a": "b"}
    assert (end.status, end.tags, end.end_ms) == (RunStatus.KILLED, {"orch.state": "STOPPED"}, 1234)


def test_a_store_that_never_answers_costs_a_measurement_nothing(said):
    tracker, _ = said
    seconds = []
    for step in range(300):
        begin = time.perf_counter()
        tracker.measure(0, Measurement(step, {f"m{i}": 0.1 for i in range(10)}, 0.1, step))
        seconds.append(time.perf_counter() - begin)
    assert statistics.median(seconds) < 0.005
    assert tracker.lag.num_pending == 300
    assert not tracker.flush(0.05)


def test_what_is_said_is_told(said):
    tracker, _ = said
    record = TrialRecord(7, TrialState.COMPLETE, {}, [Measurement(3, {"val/x": 0.5}, 0.1, 9)], attempt=2)
    tracker.start_sweep(SPEC, yaml="", tags={})
    tracker.start_trial(Suggestion(7, {}, attempt=2), {})
    assert not facts_of(record) <= tracker.told()
    tracker.measure(7, record.measurements[0])
    tracker.end_trial(7, Ending(Cause.FINISHED, "finished"), record)
    tracker.end_sweep("COMPLETE", RunStatus.FINISHED, at_ms=5)
    assert tracker.told() == {SWEEP_STARTED, *facts_of(record), sweep_end_told(5)}
    tracker.forget()
    assert tracker.told() == frozenset()


def test_an_outbox_that_cannot_be_written_stops_nobody_and_what_it_missed_can_be_made_up_for(tmp_path, monkeypatch):
    without_mlflow(monkeypatch)
    (tmp_path / "folder").write_text("a file where the folder should be")
    now = [0]
    identity = Identity(sweep="toy-1", sweep_id="id", experiment="e", artifacts=tmp_path)
    path = tmp_path / "folder" / "outbox.db"
    tracker = Tracker(path, identity=identity, shipper=shipper(), now_ms=lambda: now[0])
    tracker.measure(0, Measurement(1, {}, 0.1, 1))
    tracker.tag(None, {"a": "b"})
    assert (tracker.missed, tracker.lag.num_pending, tracker.told()) == ({0, None}, 2, frozenset())
    assert "outbox.db cannot be written" in tracker.last_error
    with tracker.together(making_up_for=[0]):
        tracker.measure(0, Measurement(1, {}, 0.1, 1))
    assert tracker.missed == {0, None}
    (tmp_path / "folder").unlink()
    tracker.measure(1, Measurement(1, {}, 0.1, 1))
    assert tracker.missed == {0, 1, None}  # it has failed a moment ago
    now[0] = 2000
    tracker.measure(2, Measurement(1, {}, 0.1, 1))
    assert tracker.missed == {0, 1, None}
    with tracker.together(making_up_for=[0, 1]):
        tracker.measure(0, Measurement(1, {}, 0.1, 1))
        tracker.measure(1, Measurement(1, {}, 0.1, 1))
    assert tracker.missed == {None}
    assert tracker.told() == {"0 step 1", "1 step 1", "2 step 1"}
    tracker.close()


def test_what_is_said_together_is_said_whole_or_not_at_all(said):
    tracker, operations = said
    with pytest.raises(KeyError), tracker.together():
        tracker.tag(0, {"a": "b"})
        raise KeyError
    assert operations() == []
    with tracker.together():
        tracker.tag(0, {"a": "b"})
        assert operations() == []
        tracker.tag(1, {"a": "b"})
    assert [o.number for o in operations()] == [0, 1]


def test_a_paused_trial_has_no_best_value_yet(said):
    tracker, operations = said
    record = TrialRecord(0, TrialState.PAUSED, {}, [Measurement(2, {}, 0.1, 44)], value=0.5, best_step=2)
    tracker.end_trial(0, None, record)
    assert [type(o) for o in operations()] == [EndTrial]
