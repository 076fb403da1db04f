"""What was edited between a launch and a resume: the sweep's own file, the file it came from, the code."""

import os
import re
import signal
from contextlib import closing

import pytest

from orchestrator.errors import SpecError, UsageError
from orchestrator.execution import local
from orchestrator.spec import dump, load
from orchestrator.study.code_log import read_code, write_code
from orchestrator.sweeps import drive
from orchestrator.sweeps.changed import hashes
from orchestrator.sweeps.checks import check
from orchestrator.sweeps.read import open_storage
from orchestrator.tracking.operations import StartSweep
from orchestrator.tracking.outbox import Outbox
from tests.support.home import ROOT, Lines
from tests.support.specs import toy_spec
from trainables.registry import source_files


def pausing():
    """A watcher that pauses the sweep at its third measurement."""

    def on_event(event):
        if [e.kind for e in watcher.events].count("measured") == 3 and event.kind == "measured":
            os.kill(os.getpid(), signal.SIGINT)

    watcher = Lines(on_event)
    return watcher


@pytest.fixture
def paused(house):
    house.launch(toy_spec(trials=2), watcher=pausing())
    return house


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_edited_copy_is_refused_with_what_differs(paused):
    copy = paused.home.sweep("id-1").spec
    edit(copy, "high: 1.0", "high: 2.0")
    with pytest.raises(UsageError) as caught:
        paused.resume()
    text = str(caught.value)
    assert "  space.x.high: 1.0 -> 2.0" in text
    for way_out in ("remove it to go on as launched", "--set budget.trials=", "--extend", "--continue-from toy-1"):
        assert way_out in text
    copy.unlink()
    assert paused.resume().state == "COMPLETE"
    assert load(copy).spec.space == toy_spec().space


def test_a_copy_with_faults_is_refused_with_them(paused):
    paused.home.sweep("id-1").spec.write_text("space: [")
    with pytest.raises(UsageError, match=r"was edited and has faults:\n.*sweep\.yaml:1"):
        paused.resume()


def test_a_larger_budget_writes_the_copy_again(paused):
    paused.resume(overrides=["budget.trials=3"])
    assert load(paused.home.sweep("id-1").spec).spec.budget.trials == 3
    assert paused.resume(extend=["trials=+1"]).counts["complete"] == 4


def test_a_driver_that_dies_while_it_changes_the_budget_can_be_followed(paused, monkeypatch):
    def die(*_):
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(drive, "write_copy", die)
        with pytest.raises(SystemExit):
            paused.resume(overrides=["budget.trials=3"])
    assert paused.resume().counts["complete"] == 3


@pytest.fixture
def filed(house, tmp_path):
    """A paused sweep that was launched with a file."""
    file = tmp_path / "toy.yaml"
    file.write_text(f"# a comment\n{dump(toy_spec(trials=2))}")
    checked = check(load(file), directory=ROOT)
    drive.launch(checked, house.around(pausing()), name=None, sweep_id="id-1")
    return house, file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# a comment\n", "# another one\n", None),
        (
            "high: 1.0",
            "high: 2.0",
            r"toy\.yaml has changed since the launch \(space\.x\.high: 1\.0 -> 2\.0\); .* keeps",
        ),
        ("name: toy", "name: [", r"toy\.yaml has changed since the launch, and has faults"),
    ],
)
def test_the_file_may_be_edited_and_the_sweep_keeps_its_question(filed, old, new, said):
    house, file = filed
    edit(file, old, new)
    watcher = Lines()
    assert house.resume(watcher=watcher).state == "COMPLETE"
    lines = [line for line in watcher.said if "since the launch" in line]
    assert len(lines) == (said is not None)
    assert said is None or re.search(said, lines[0])


def test_code_that_has_changed_is_said_and_tagged_once(paused):
    with closing(open_storage(paused.home)) as storage:
        ledger = storage.open("toy-1")
        noted = read_code(ledger)
        assert noted == hashes(source_files(toy_spec().trainable))
        write_code(ledger, {**noted, "tests/support/toys.py": "0" * 16, "tests/gone.py": "1" * 16})
    watcher = Lines()
    paused.resume(watcher=watcher)
    (line,) = [line for line in watcher.said if "code has changed" in line]
    assert "(tests/gone.py, tests/support/toys.py)" in line
    with closing(Outbox(paused.home.sweep("id-1").outbox)) as outbox:
        starts = [e.operation for e in outbox.pending(1000) if isinstance(e.operation, StartSweep)]
    assert "orch.code_changed" not in starts[0].tags
    assert starts[1].tags["orch.code_changed"] == "tests/gone.py, tests/support/toys.py"
    again = Lines()
    paused.resume(overrides=["budget.trials=3"], watcher=again)
    assert not any("code has changed" in line for line in again.said)


def test_a_smaller_machine_is_enough_if_a_trial_fits(house, monkeypatch):
    monkeypatch.setattr(local, "num_cpus", lambda: 8)
    house.launch(toy_spec(trials=2, resources={"cpu": 4, "gpu": 0.0}), watcher=pausing())
    monkeypatch.setattr(local, "num_cpus", lambda: 2)
    with pytest.raises(SpecError, match="a trial needs 4 CPU and 0 GPU on one node; this process has 2 CPU"):
        house.resume()
    assert house.resume(overrides=["resources.cpu=2"]).state == "COMPLETE"
