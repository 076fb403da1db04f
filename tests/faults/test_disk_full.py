"""A full disk under the checkpoints: training goes on, it is said, and what is written later is whole."""

import contextlib
import os
import subprocess
from dataclasses import replace

import pytest

from orchestrator.execution.assignment import Assignment, Done, Measured
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.checkpoint_names import ATTEMPT_FILE, step_folder, steps_in, trial_folder
from orchestrator.spec import Direction, Objective
from orchestrator.trial import TrialState
from tests.conftest import ROOT
from tests.support.failpoints import Action, FailPoint, armed
from tests.support.home import House, Lines
from tests.support.specs import TOY, toy_spec
from trainables.checkpoint import read_checkpoint

EPOCHS = 6
WRITE = "trainables.checkpoint:_write_durably"
FOR_EVER = 10**9
PROMISE = "the trial trains on, says so, and a new attempt goes on from the older checkpoint"


@pytest.fixture
def assignment(tmp_path):
    return Assignment(
        number=0,
        attempt=1,
        trainable=TOY,
        config={"epochs": EPOCHS},
        objective=Objective(metric="val/score", direction=Direction.MAXIMIZE),
        seeds=(0,),
        checkpoints=tmp_path / "trial-0000",
        checkpoint_interval_s=0.0,
        directory=ROOT,
    )


def outcomes(attempt):
    found = [attempt.advance()]
    while isinstance(found[-1], Measured):
        found.append(attempt.advance())
    return found


def full_from(write, *, times=FOR_EVER):
    """The disk is full from a written file on; a checkpoint has two."""
    return armed(FailPoint(WRITE, Action.NO_SPACE, call=write, times=times))


@pytest.mark.fault("disk full on checkpoint", phase="from the first one on", outcome=PROMISE)
def test_a_trial_ends_without_any_checkpoint(assignment):
    with full_from(1):
        *measured, done = outcomes(Attempt(assignment))
    assert [m.step for m in measured] == list(range(EPOCHS + 1))
    assert isinstance(done, Done)
    (note,) = [note for outcome in [*measured, done] for note in outcome.notes]
    assert note.startswith("checkpoints cannot be written, a new attempt would go on from its beginning: No space left")
    assert [path.name for path in assignment.checkpoints.iterdir()] == [ATTEMPT_FILE]


@pytest.mark.fault("disk full on checkpoint", phase="mid-sweep", outcome=PROMISE)
@pytest.mark.parametrize("write", [5, 6], ids=["tensors", "manifest"])
def test_a_new_attempt_goes_on_from_the_older_checkpoint(assignment, write):
    straight = outcomes(Attempt(replace(assignment, checkpoints=assignment.checkpoints / "twin")))
    with full_from(write):
        first = [attempt.advance() for attempt in [Attempt(assignment)] for _ in range(5)]
    assert steps_in(assignment.checkpoints) == [0, 1]
    assert [m.step for m in first if m.notes] == [2]
    again = outcomes(Attempt(replace(assignment, last_step=4, best_step=4, best_value=first[-1].metrics["val/score"])))
    values = [(m.step, m.metrics["val/score"], m.metrics["noise"]) for m in straight[2:-1]]
    assert [(m.step, m.metrics["val/score"], m.metrics["noise"]) for m in again[:-1]] == values
    assert steps_in(assignment.checkpoints) == [EPOCHS - 1, EPOCHS]


@pytest.mark.fault(
    "disk full on checkpoint", phase="space is made again", outcome="the next checkpoints, and the best, are written"
)
@pytest.mark.parametrize("interval_s", [0.0, 1000.0])
def test_the_best_state_waits_for_space(assignment, interval_s):
    attempt = Attempt(
        replace(assignment, config={"epochs": EPOCHS, "mode": "collapse", "at": 3}, checkpoint_interval_s=interval_s)
    )
    with full_from(1):
        measured = [attempt.advance() for _ in range(EPOCHS)]
    best = max(measured[1:], key=lambda m: m.metrics["val/score"]).step
    assert best < EPOCHS - 1
    *_, done = outcomes(attempt)
    attempt.close()
    assert isinstance(done, Done)
    assert best in steps_in(assignment.checkpoints)
    assert read_checkpoint(step_folder(assignment.checkpoints, best))["epoch"] == best


@pytest.mark.fault(
    "disk full on checkpoint", phase="pause", outcome="the sweep pauses; resume goes on from the older checkpoint"
)
def test_a_pause_on_a_full_disk(assignment, capsys):
    attempt = Attempt(replace(assignment, checkpoint_interval_s=1000.0))
    for _ in range(3):
        attempt.advance()
    with full_from(1):
        attempt.save()
        attempt.close()
    said = capsys.readouterr().err
    assert "checkpoints cannot be written, a new attempt would go on from its beginning: No space left" in said
    assert "Traceback" not in said


@pytest.mark.fault(
    "disk full on checkpoint", phase="where another trial goes on", outcome="the trial fails, and names the disk"
)
def test_a_segment_without_its_checkpoint_fails(assignment):
    with full_from(1):
        *measured, raised = outcomes(Attempt(replace(assignment, until=2)))
    assert [m.step for m in measured] == [0, 1]
    assert raised.message.startswith("OSError: [Errno 28] No space left on device")


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 80 KiB at the place of the checkpoints of sweep `id-1`."""
    folder = House(tmp_path).home.sweep("id-1").checkpoints
    folder.mkdir(parents=True)
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounting.returncode:
        pytest.skip(f"no file system can be mounted here: {mounting.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.fault(
    "disk full on checkpoint", phase="a real small file system", outcome="all trials end complete; nothing half is left"
)
def test_a_real_full_disk(tmp_path, small_disk):
    filler = small_disk / "filler"

    def use(event):
        if event.kind == "measured" and " epoch 2 " in event.text and event.text.startswith("trial 1 "):
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(os.urandom(512))
        if event.kind == "measured" and " epoch 5 " in event.text and event.text.startswith("trial 1 "):
            filler.unlink()

    summary = House(tmp_path).launch(toy_spec(trials=2, config={"epochs": EPOCHS}), watcher=Lines(use))
    assert [trial.state for trial in summary.trials] == [TrialState.COMPLETE] * 2
    assert [[m.step for m in trial.measurements] for trial in summary.trials] == [list(range(EPOCHS + 1))] * 2
    folder = trial_folder(small_disk, 1)
    assert steps_in(folder)[-1] == EPOCHS and not {3, 4, 5} & set(steps_in(folder)), "full from epoch 2 to epoch 5"
    assert not list(folder.glob(".*"))
    assert read_checkpoint(step_folder(folder, EPOCHS))["epoch"] == EPOCHS
