"""What is told again, from a real ledger to a real outbox, after the outbox was lost in part or whole."""

from collections import Counter

import pytest

from orchestrator.execution.retelling import retell_trials
from orchestrator.tracking import facts_of
from orchestrator.tracking.delta import fold
from orchestrator.tracking.outbox import Outbox
from tests.support.specs import toy_spec

SPEC = {"pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 2}, "trials": 4}


@pytest.fixture
def run(desk):
    """A sweep that has ended with one trial paused."""
    desk.run(toy_spec(**SPEC), listener=pause_at(desk, trial=3, epoch=1))
    return desk


def pause_at(desk, *, trial, epoch):
    def listen(control, event):
        if event.kind == "measured" and event.text.startswith(f"trial {trial} epoch {epoch} "):
            control.request_pause("a test")

    return listen


def points(operations):
    """What MLflow keeps of them: equal points are one."""
    found = Counter()
    for number in {operation.number for operation in operations} - {None}:
        delta = fold(operation for operation in operations if operation.number == number)
        found.update({(number, p.name, p.step, p.at_ms, p.value) for p in delta.points})
    return found


def runs(operations):
    """The last params, tags, status and files of each run."""
    folded = {n: fold(o for o in operations if o.number == n) for n in {o.number for o in operations} - {None}}
    return {
        number: (delta.params, delta.tags, delta.status, {f.artifact_file: f.text for f in delta.files})
        for number, delta in folded.items()
    }


def retold(desk):
    tracker, ledger = desk.tracker(), desk.reopen()
    try:
        return retell_trials(tracker, ledger.sweep, ledger.records())
    finally:
        tracker.close()


def test_where_all_was_told_nothing_is_told_again(run):
    before = run.said()
    assert retold(run) == 0
    assert run.said() == before


def test_a_lost_outbox_is_told_again_with_the_same_points_params_tags_and_ends(run):
    before = run.said()
    for file in run.folder.glob("outbox.db*"):
        file.unlink()
    assert retold(run) == 4
    again = run.said()
    assert points(again) == points(before)
    assert runs(again) == runs(before)


def test_a_point_that_is_told_twice_is_one(run):
    before = run.said()
    tracker = run.tracker()
    tracker.forget()
    tracker.close()
    assert retold(run) == 4
    assert points(run.said()) == points(before)
    assert len(run.said()) > len(before)


def test_only_the_trial_of_which_something_is_missing_is_told_again(run):
    before = run.said()
    outbox = Outbox(run.folder / "outbox.db")
    with outbox._transaction() as db:
        db.execute("DELETE FROM told WHERE fact = '1 step 1'")
    outbox.close()
    assert retold(run) == 1
    assert {operation.number for operation in run.said()[len(before) :]} <= {1, None}
    assert retold(run) == 0


def test_what_this_process_could_not_say_is_told_again(run):
    tracker, ledger = run.tracker(), run.reopen()
    tracker._missed[2] += 1
    assert retell_trials(tracker, ledger.sweep, ledger.records()) == 1
    assert tracker.missed == frozenset()
    tracker.close()


def test_each_record_is_told_whole(run):
    told = run.tracker()
    try:
        assert all(facts_of(record) <= told.told() for record in run.records())
    finally:
        told.close()
