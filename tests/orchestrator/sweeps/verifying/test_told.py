"""Which of several runs counts."""

from orchestrator.sweeps.verifying.told import Told
from orchestrator.tracking.reading import RunView
from orchestrator.trial import RunStatus, TrialRecord, TrialState


def run(run_id, trial, kind="trial"):
    return RunView(run_id, trial, RunStatus.FINISHED, {"orch.kind": kind}, {}, None, 0, None)


RUNS = [run("p", None, "sweep"), run("a", 0), run("b", 0), run("c", 1), run("lost", None), run("d", 7)]


def test_the_ledgers_run_counts_and_else_the_oldest():
    told = Told(RUNS)

    assert told.run_of(TrialRecord(0, TrialState.COMPLETE, {}, run_id="b")).run_id == "b"
    assert told.run_of(TrialRecord(0, TrialState.COMPLETE, {}, run_id="gone")).run_id == "a"
    assert told.run_of(TrialRecord(5, TrialState.COMPLETE, {})) is None
    assert told.parent(None).run_id == "p"


def test_strays_are_runs_of_no_trial():
    assert [run.run_id for run in Told(RUNS).strays({0, 1})] == ["lost", "d"]
