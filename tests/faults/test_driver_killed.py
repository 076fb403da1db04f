"""`kill -9` of the driver at each point of its life: the resumed sweep is the sweep that was never killed."""

import shutil

import pytest

from orchestrator.execution.checkpoint_names import steps_in, trial_folder
from orchestrator.spec import load
from orchestrator.trial import TrialState
from tests.support.commands import Orch, diary_lines, wait_for
from tests.support.failpoints import Action, FailPoint, armed
from tests.support.soundness import acknowledged, assert_sound, learnt
from tests.support.specs import TWO_WORKERS, toy_spec

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TRIALS, EPOCHS = 4, 3
ATTEMPT = "orchestrator.execution.attempt:Attempt"
ON_RAY = ["--runner", "ray"]
LOCALLY = ["--runner", "local"]
PROMISE = "resume ends with the exact count, the twin's parameters and values, one run a trial"
PHASES = {
    "made, nothing asked": FailPoint("orchestrator.execution.control:SweepControl.next"),
    "before ask": FailPoint("orchestrator.study.ledger:Ledger.ask", call=2),
    "after ask, not launched": FailPoint("orchestrator.study.ledger:Ledger._hand_out", call=2),
    "launching, MLflow not told": FailPoint("orchestrator.tracking.tracker:Tracker.start_trial", call=2),
    "launching, MLflow told": FailPoint("orchestrator.execution.attempt:Attempt._start", call=2),
    "mid-epoch": FailPoint("tests.support.toys:score", call=7),
    "mid-checkpoint, tensors written": FailPoint("trainables.checkpoint:_write_durably", call=5, after=True),
    "mid-checkpoint, not renamed": FailPoint("trainables.checkpoint:_put_in_place", call=3),
    "measured, not stored": FailPoint("orchestrator.execution.control:SweepControl._measured", call=7),
    "reporting, half stored": FailPoint("orchestrator.study.records:write_measurement", call=7),
    "stored, no directive": FailPoint("orchestrator.execution.control:SweepControl._judge", call=7),
    "stored, MLflow not told": FailPoint("orchestrator.tracking.tracker:Tracker.measure", call=7),
    "ending, not stored": FailPoint("orchestrator.study.ledger:Ledger.tell", call=2),
    "ending, half stored": FailPoint("orchestrator.study.rows:_stored_objective", call=2),
    "sampler told, MLflow not told": FailPoint("orchestrator.tracking.tracker:Tracker.end_trial", call=2),
    "all ended, not marked": FailPoint("orchestrator.execution.control:SweepControl.finish", after=True),
    "report half written": FailPoint("orchestrator.sweeps.report:write_plots"),
    "MLflow told of the end, not marked": FailPoint("orchestrator.tracking.tracker:Tracker.end_sweep", after=True),
    "marked as complete, not delivered": FailPoint("orchestrator.sweeps.drive:wait_for_delivery"),
}
RESUMING = {
    "resuming, attempts counted": FailPoint("orchestrator.study.ledger:Ledger.interrupted", after=True),
    "resuming, first trial handed out": FailPoint("orchestrator.tracking.tracker:Tracker.start_trial", after=True),
    "resuming, checkpoint read": FailPoint("orchestrator.execution.attempt:Attempt._resume", after=True),
    "resuming, next measurement stored": FailPoint("orchestrator.study.ledger:Ledger.report", after=True),
}


def sections(folder):
    return {
        "trials": TRIALS,
        "config": {"epochs": EPOCHS, "diary": str(folder / "diary")},
        "sampler": {"type": "tpe", "startup_trials": 2},
        "pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
    }


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """The records of the same sweep when nothing strikes it."""
    folder = tmp_path_factory.mktemp("twin")
    orch = Orch(folder)
    assert orch.run("sweep", orch.file(**sections(folder)), *LOCALLY, "--quiet").code == 0
    assert_sound(orch, trials=TRIALS)
    return orch.records()


def epochs_trained(folder):
    """How many epochs were begun, repeated ones too."""
    return sum("epoch" in line for line in diary_lines(folder / "diary"))


def assert_nothing_lost(orch, before):
    """P1: what the ledger had when the driver died is there to the bit."""
    now = acknowledged(orch)
    assert {key: now.get(key) for key in before} == before


def test_a_fail_point_strikes_at_its_call_and_is_gone_afterwards(tmp_path):
    point = FailPoint("orchestrator.spec:load", Action.RAISE, call=2)
    with armed(point):
        from orchestrator import spec

        with pytest.raises(Exception, match="nothing"):
            spec.load(tmp_path / "nothing.yaml")
        with pytest.raises(RuntimeError, match=r"a fault at orchestrator\.spec:load"):
            spec.load(tmp_path / "nothing.yaml")
    assert spec.load is load


@pytest.mark.slow
@pytest.mark.fault("driver kill -9", phase="{phase}", outcome=PROMISE)
@pytest.mark.parametrize("phase", PHASES)
def test_a_kill_changes_nothing(orch, twin, tmp_path, phase):
    killed = orch.run("sweep", orch.file(**sections(tmp_path)), *LOCALLY, "--quiet", failing=[PHASES[phase]])
    assert killed.code == -9, killed.err
    before = acknowledged(orch)
    resumed = orch.run("resume", "toy-1", *LOCALLY, "--quiet")
    assert resumed.code == 0, resumed.err
    assert_nothing_lost(orch, before)
    assert learnt(orch.records()) == learnt(twin)
    assert_sound(orch, trials=TRIALS)
    once = sum(len(r.measurements) for r in twin)
    assert epochs_trained(tmp_path) <= once + 1, "P5: the epoch under way, since each epoch has a checkpoint"
    assert not list((orch.home / "sweeps").glob("*/checkpoints/*/.*")), "left-overs of the killed process"


@pytest.mark.slow
@pytest.mark.fault("driver kill -9", phase="{phase}", outcome=PROMISE)
@pytest.mark.parametrize("phase", RESUMING)
def test_a_second_kill_while_resuming_changes_nothing(orch, twin, tmp_path, phase):
    first = FailPoint("orchestrator.study.ledger:Ledger.report", call=3, after=True)
    file = orch.file(**sections(tmp_path))
    assert orch.run("sweep", file, *LOCALLY, "--quiet", failing=[first]).code == -9
    before = acknowledged(orch)
    assert orch.run("resume", "toy-1", *LOCALLY, "--quiet", failing=[RESUMING[phase]]).code == -9
    assert_nothing_lost(orch, before)
    resumed = orch.run("resume", "toy-1", *LOCALLY, "--quiet")
    assert resumed.code == 0, resumed.err
    assert learnt(orch.records()) == learnt(twin)
    assert_sound(orch, trials=TRIALS)
    assert epochs_trained(tmp_path) <= sum(len(r.measurements) for r in twin) + 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "left"),
    [
        pytest.param(
            FailPoint("orchestrator.study.ledger:Ledger.replace_spec"),
            [],
            marks=pytest.mark.fault(
                "driver kill -9", phase="the sweep half made", outcome="no sweep is there, its name is free"
            ),
        ),
        pytest.param(
            FailPoint("pathlib:Path.write_text"),
            ["toy-1"],
            marks=pytest.mark.fault(
                "driver kill -9", phase="made, no sweep.yaml", outcome="resume runs it from the ledger"
            ),
        ),
    ],
)
def test_a_kill_while_the_sweep_is_made(orch, twin, tmp_path, point, left):
    file = orch.file(**sections(tmp_path))
    assert orch.run("sweep", file, *LOCALLY, "--quiet", failing=[point]).code == -9
    assert [summary["sweep"] for summary in orch.run("ls", "--json").json] == left
    again = ["resume", "toy-1"] if left else ["sweep", file]
    done = orch.run(*again, *LOCALLY, "--quiet")
    assert done.code == 0, done.err
    assert learnt(orch.records()) == learnt(twin)
    assert_sound(orch, trials=TRIALS)


@pytest.mark.slow
@pytest.mark.fault(
    "driver kill -9", phase="mid-interval", outcome="at most one checkpoint interval of training is repeated"
)
def test_a_kill_costs_one_checkpoint_interval(orch, tmp_path):
    epoch_s, interval_s = 0.1, 1.0
    config = {"epochs": 30, "epoch_s": epoch_s, "diary": str(tmp_path / "diary")}
    resources = {"gpu": 0.0, "checkpoint_interval_s": interval_s}
    file = orch.file(trials=1, config=config, resources=resources)
    process = orch.start("sweep", file, *LOCALLY, "--quiet")
    wait_for(lambda: len(diary_lines(tmp_path / "diary")) > 25, what="epoch 25")
    process.kill()
    orch.end(process)
    resumed = orch.run("resume", "toy-1", *LOCALLY, "--quiet")
    assert resumed.code == 0, resumed.err
    (record,) = orch.records()
    assert [m.step for m in record.measurements] == list(range(31))
    assert 0 < record.repeated.epochs + 1 <= interval_s / epoch_s + 1
    assert epochs_trained(tmp_path) - 31 <= interval_s / epoch_s + 2


@pytest.mark.fault(
    "driver ends",
    phase="a rule ended a trial, its best state is in memory",
    outcome="the best checkpoint is there after a resume",
)
@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="an ending is stored before `Attempt.close` writes the best state, and nobody trains it again",
)
def test_the_best_checkpoint_of_an_early_end(desk):
    resources = {"gpu": 0.0, "checkpoint_interval_s": 1000.0}
    spec = toy_spec(trials=2, stop=[{"type": "max_epochs", "epochs": 2}], resources=resources)
    with armed(FailPoint(f"{ATTEMPT}.close", Action.RAISE)), pytest.raises(RuntimeError, match="a fault at"):
        desk.run(spec)
    desk.run()
    kept = [r.best_step in steps_in(trial_folder(desk.checkpoints, r.number)) for r in desk.records()]
    assert kept == [True, True]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.fault("driver kill -9", phase="{phase}, on Ray", outcome=PROMISE)
@pytest.mark.parametrize("phase", ["after ask, not launched", "reporting, half stored", "ending, half stored"])
def test_on_ray_too(orch, tmp_path, phase):
    asked = {"trials": TRIALS, "config": {"epochs": EPOCHS, "epoch_s": 0.05}, "resources": TWO_WORKERS}
    straight = Orch(tmp_path)
    straight.home = tmp_path / "straight"
    file = orch.file(**asked)
    assert straight.run("sweep", file, *LOCALLY, "--quiet").code == 0
    killed = orch.run("sweep", file, *ON_RAY, "--quiet", failing=[PHASES[phase]], timeout=300)
    assert killed.code == -9, killed.err
    before = acknowledged(orch)
    resumed = orch.run("resume", "toy-1", *ON_RAY, "--quiet", timeout=300)
    assert resumed.code == 0, resumed.err
    assert_nothing_lost(orch, before)
    assert learnt(orch.records()) == learnt(straight.records())
    assert {r.state for r in orch.records()} == {TrialState.COMPLETE}
    assert_sound(orch, trials=TRIALS)
    shutil.rmtree(straight.home)
