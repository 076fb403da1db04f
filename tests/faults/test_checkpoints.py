"""Checkpoints that were damaged or half written while nobody looked: the trial goes on from an older one, unchanged."""

import os
import signal

import pytest

from orchestrator.execution.assignment import Assignment
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.checkpoint_names import step_folder, steps_in, trial_folder
from orchestrator.spec import Direction, Objective
from orchestrator.trial import TrialState
from tests.conftest import ROOT
from tests.support.commands import diary_lines
from tests.support.desk import Desk
from tests.support.home import House, Lines
from tests.support.soundness import learnt
from tests.support.specs import TOY, toy_spec
from trainables.checkpoint import MANIFEST_FILE, TENSORS_FILE

EPOCHS, PAUSED_AT = 6, 4
NEWEST = "the newest checkpoint"
ALL = "all checkpoints"
PROMISES = {
    NEWEST: "the trial goes on from the one before and says so; its values are the same",
    ALL: "the trial begins again and says so; its values are the same",
}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, *, at):
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 0x10
    path.write_bytes(content)


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


DAMAGES = {
    "tensors truncated": lambda folder: cut(folder / TENSORS_FILE),
    "tensors of no bytes": lambda folder: (folder / TENSORS_FILE).write_bytes(b""),
    "tensors with a flipped bit in the header": lambda folder: flip(folder / TENSORS_FILE, at=0.0),
    "tensors with a flipped bit": lambda folder: flip(folder / TENSORS_FILE, at=0.7),
    "tensors missing": lambda folder: (folder / TENSORS_FILE).unlink(),
    "manifest half written": lambda folder: cut(folder / MANIFEST_FILE),
    "manifest with a flipped bit near its beginning": lambda folder: flip(folder / MANIFEST_FILE, at=0.05),
    "manifest with a flipped bit near its end": lambda folder: flip(folder / MANIFEST_FILE, at=0.9),
    "manifest missing": lambda folder: (folder / MANIFEST_FILE).unlink(),
    "folder emptied": empty,
}


@pytest.fixture(scope="module")
def twin(tmp_path_factory, empty_ledger):
    """The records of a sweep whose checkpoints nobody touches."""
    desk = Desk(tmp_path_factory.mktemp("twin"), empty_ledger)
    desk.run(spec(desk))
    found = learnt(desk.records())
    desk.close()
    return found


def spec(desk):
    return toy_spec(trials=1, config={"epochs": EPOCHS, "diary": str(desk.folder / "diary")})


def pause(desk):
    """Train up to `PAUSED_AT`; returns the folder of the trial."""

    def listener(control, event):
        if event.kind == "measured" and f"epoch {PAUSED_AT} " in event.text:
            control.request_pause("the test")

    desk.run(spec(desk), listener=listener)
    folder = trial_folder(desk.checkpoints, 0)
    assert steps_in(folder) == [PAUSED_AT - 1, PAUSED_AT]
    return folder


@pytest.mark.fault("checkpoint: {damage}", phase="{which}, before a resume", outcome="{promise}")
@pytest.mark.parametrize(("which", "promise"), PROMISES.items(), ids=["newest", "all"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_costs_epochs_and_nothing_else(desk, twin, damage, which, promise):
    folder = pause(desk)
    for step in steps_in(folder)[-1 if which == NEWEST else 0 :]:
        DAMAGES[damage](step_folder(folder, step))
    begun = len(diary_lines(desk.folder / "diary"))
    desk.run()
    assert learnt(desk.records()) == twin
    first = next(line for line in diary_lines(desk.folder / "diary")[begun:] if "epoch" in line)
    assert first.endswith(f"epoch {PAUSED_AT if which == NEWEST else 0}")
    assert EPOCHS in steps_in(folder), "the best, which is the last"


@pytest.mark.parametrize("which", PROMISES)
def test_what_was_passed_over_is_said_once(desk, which):
    folder = pause(desk)
    broken = steps_in(folder)[-1 if which == NEWEST else 0 :]
    for step in broken:
        cut(step_folder(folder, step) / TENSORS_FILE)
    attempt = Attempt(assignment(desk, last_step=PAUSED_AT))
    first, second = attempt.advance(), attempt.advance()
    attempt.close()
    assert len(first.notes) == len(broken)
    assert all(f"the checkpoint of step {step} was passed over" in " ".join(first.notes) for step in broken)
    assert second.notes == ()


def assignment(desk, **fields):
    return Assignment(
        number=0,
        attempt=1,
        trainable=TOY,
        config={"epochs": EPOCHS},
        objective=Objective(metric="val/score", direction=Direction.MAXIMIZE),
        seeds=(0,),
        checkpoints=trial_folder(desk.checkpoints, 0),
        checkpoint_interval_s=0.0,
        directory=ROOT,
        **fields,
    )


@pytest.mark.fault(
    "checkpoint: half a folder of a killed process", phase="resume", outcome="removed, also of trials that have ended"
)
def test_what_killed_processes_have_left_is_removed(tmp_path):
    house = House(tmp_path)

    def pause_in_trial_1(event):
        if event.text.startswith("trial 1 epoch 1 "):
            os.kill(os.getpid(), signal.SIGINT)

    paused = house.launch(toy_spec(trials=2), watcher=Lines(pause_in_trial_1))
    assert paused.state == "PAUSED"
    checkpoints = house.home.sweep("id-1").checkpoints
    left = [trial_folder(checkpoints, number) / ".step-000003.4711.new" for number in (0, 1)]
    for folder in left:
        folder.mkdir()
        (folder / TENSORS_FILE).write_bytes(b"half")
    resumed = house.resume()
    assert [trial.state for trial in resumed.trials] == [TrialState.COMPLETE] * 2
    assert not any(folder.exists() for folder in left)
