"""Launching, pausing and resuming whole sweeps: what is left behind, what is refused, what may change."""

import os
import signal
from contextlib import closing

import pytest

from orchestrator.errors import LockedError, SpecError, SweepNotFoundError, UsageError
from orchestrator.execution.checkpoint_names import step_folder, trial_folder
from orchestrator.study import Ledger, SweepState
from orchestrator.sweeps import overview, read
from orchestrator.tracking.operations import EndSweep
from orchestrator.tracking.outbox import Outbox
from tests.support.failpoints import Action, FailPoint, armed
from tests.support.home import Lines, driven
from tests.support.specs import toy_spec


def pausing(kind="measured", count=3):
    """A watcher that sends this process SIGINT at the event number `count`."""

    def on_event(event):
        if [e.kind for e in watcher.events].count(kind) == count and event.kind == kind:
            os.kill(os.getpid(), signal.SIGINT)

    watcher = Lines(on_event)
    return watcher


def test_a_sweep_leaves_a_ledger_a_spec_an_outbox_and_a_report(house):
    watcher = Lines()
    summary = house.launch(toy_spec(trials=2), watcher=watcher)
    assert (summary.state, summary.exit_code, summary.sweep.name) == ("COMPLETE", 0, "toy-1")
    assert summary.counts["complete"] == 2
    assert summary.num_pending > 0
    paths = house.home.sweep("id-1")
    assert {p.name for p in paths.report.iterdir()} >= {"leaderboard.csv", "leaderboard.html"}
    assert paths.spec.read_text().startswith("name: toy")
    assert paths.outbox.exists()
    assert watcher.said[0] == "sweep toy-1: 2 trials, 1 at a time on this process"
    assert [e.kind for e in watcher.events][:2] == ["started", "measured"]
    assert (watcher.progress[0].num_ended, watcher.progress[1].num_ended) == (0, 2)
    shown = read.show(house.home, "toy-1")
    assert shown.trials == summary.trials
    best = max(summary.trials, key=lambda trial: trial.value)
    assert summary.best.number == best.number
    assert (step_folder(trial_folder(paths.checkpoints, best.number), best.best_step) / "manifest.json").exists()


def test_a_sweep_is_marked_as_ended_only_after_mlflow_was_told(house, monkeypatch):
    told, update_sweep = [], Ledger.update_sweep

    def look(ledger, record):
        if record.state is SweepState.COMPLETE:
            with closing(Outbox(house.home.sweep("id-1").outbox)) as outbox:
                told.append(any(isinstance(entry.operation, EndSweep) for entry in outbox.pending(1000)))
        update_sweep(ledger, record)

    monkeypatch.setattr(Ledger, "update_sweep", look)
    house.launch(toy_spec(trials=1))
    assert told
    assert all(told)


def test_names_count_up_and_a_taken_one_is_refused(house):
    house.launch(toy_spec(trials=1))
    assert house.launch(toy_spec(trials=1), sweep_id="id-2").sweep.name == "toy-2"
    with pytest.raises(UsageError, match="'toy-2' exists already"):
        house.launch(toy_spec(trials=1), name="toy-2", sweep_id="id-3")
    assert [s.sweep.name for s in overview.list_sweeps(house.home)] == ["toy-1", "toy-2"]
    assert [s.sweep.name for s in read.newest_sweeps(house.home, lambda _: True)] == ["toy-2", "toy-1"]
    assert [s.sweep.name for s in read.newest_sweeps(house.home, lambda r: r.name == "toy-1")] == ["toy-1"]


def test_a_signal_pauses_and_a_resume_ends_with_the_exact_count(house):
    before = signal.getsignal(signal.SIGINT)
    summary = house.launch(toy_spec(trials=4), watcher=pausing(count=7))
    assert (summary.state, summary.exit_code, summary.signal) == ("PAUSED", 130, signal.SIGINT)
    assert summary.sweep.reason == "SIGINT"
    assert signal.getsignal(signal.SIGINT) is before
    assert [(t.state.value, t.epochs) for t in summary.trials] == [("COMPLETE", 4), ("PAUSED", 1)]
    params = [t.params for t in summary.trials]
    resumed = house.resume()
    assert (resumed.state, resumed.exit_code, resumed.counts["complete"]) == ("COMPLETE", 0, 4)
    assert [t.params for t in resumed.trials[:2]] == params
    assert all([m.step for m in t.measurements] == [0, 1, 2, 3, 4] for t in resumed.trials)
    assert resumed.sweep.wall_s > summary.sweep.wall_s


def test_a_complete_sweep_has_nothing_to_resume_until_its_budget_grows(house):
    house.launch(toy_spec(trials=2))
    watcher = Lines()
    assert len(house.resume(watcher=watcher).trials) == 2
    assert "nothing is left to do" in watcher.said[0]
    extended = house.resume(overrides=["budget.trials=3"])
    assert (extended.state, len(extended.trials), extended.sweep.spec.budget.trials) == ("COMPLETE", 3, 3)


@pytest.mark.parametrize("override", ["seed=1", "space.x.high=2.0", "config.epochs=9", "sampler.type=tpe"])
def test_a_resume_keeps_the_question(house, override):
    house.launch(toy_spec(trials=2), watcher=pausing())
    with pytest.raises(UsageError, match="only budget, resources and execution may change"):
        house.resume(overrides=[override])
    assert house.resume(overrides=["resources.checkpoint_interval_s=5"]).state == "COMPLETE"


def test_a_failed_sweep_exits_with_one(house):
    summary = house.launch(toy_spec(trials=2, config={"mode": "raise"}))
    assert (summary.sweep.state, summary.exit_code) == (SweepState.FAILED, 1)


def test_one_driver_at_a_time(house):
    house.launch(toy_spec(trials=2), watcher=pausing())
    with driven(house.home), pytest.raises(LockedError, match=f"toy-1 is driven by process {os.getpid()} on"):
        house.resume()
    assert house.resume().state == "COMPLETE"


def test_what_cannot_run_creates_nothing(house):
    resources = {"cpu": 4096, "gpu": 0.0}
    with pytest.raises(SpecError, match="a trial needs 4096 CPU"):
        house.launch(toy_spec(resources=resources))
    assert not house.home.root.exists()


def test_a_resume_of_nothing_is_refused(house):
    with pytest.raises(UsageError, match="there is no ledger"):
        house.resume()
    house.launch(toy_spec(trials=1))
    with pytest.raises(SweepNotFoundError, match="the latest are: toy-1"):
        house.resume("toy-7")


def test_a_crash_of_the_driver_leaves_the_sweep_interrupted_and_resumable(house):
    crash = FailPoint("orchestrator.tracking.tracker:Tracker.end_trial", Action.RAISE)
    with armed(crash), pytest.raises(RuntimeError, match="a fault at"):
        house.launch(toy_spec(trials=3))
    assert read.show(house.home, "toy-1").state == "INTERRUPTED"
    resumed = house.resume()
    assert (resumed.state, resumed.counts["complete"]) == ("COMPLETE", 3)
