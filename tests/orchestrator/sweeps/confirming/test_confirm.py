"""Whole confirmations: verdicts, what is stored, what is refused, and going on after an interruption at any point."""

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from orchestrator.errors import LockedError, UsageError
from orchestrator.spec import parse
from orchestrator.study import Storage, SweepState
from orchestrator.study.confirmations import ConfirmationLog
from orchestrator.sweeps import drive, overview, read
from orchestrator.sweeps.checks import check
from orchestrator.sweeps.confirming import confirm as use_case
from orchestrator.sweeps.confirming.find import confirmation_of, find, is_confirmation
from orchestrator.sweeps.drive import Surroundings
from orchestrator.trial import Cause
from tests.support.confirming import asked, confirmable_spec, confirmed
from tests.support.home import Lines, driven
from tests.support.specs import toy_spec


def frozen(house, sweep="toy-1"):
    """All that the ledger has of a sweep, as plain text."""
    with closing(Storage(house.home.ledger_url)) as storage:
        study = storage.open(sweep).study
        trials = [(t.number, t.state, t.params, t.values, t.user_attrs, t.system_attrs) for t in study.trials]
        return repr((trials, study.user_attrs))


def figures(report):
    """What must not depend on how often the confirmation was interrupted."""
    ours = {"confirmation", "confirmation_id", "costs", "reads", "notes"}
    return {name: value for name, value in report.model_dump().items() if name not in ours}


@pytest.fixture(scope="module")
def won(tmp_path_factory, build_house):
    """A search with a strong effect, confirmed; tests only read it."""
    with pytest.MonkeyPatch.context() as patch:
        house = build_house(tmp_path_factory.mktemp("won"), patch)
        house.launch(confirmable_spec())
        before = frozen(house)
        watcher = Lines()
        done = confirmed(house, watcher=watcher, top=2, seeds=4)
        yield house, before, done, watcher


def test_a_strong_effect_is_confirmed(won):
    _, _, done, watcher = won
    report = done.report
    best = max(read.show(won[0].home, "toy-1").trials, key=lambda trial: trial.value)
    assert report.verdict.outcome == "winner"
    assert report.verdict.names == (f"trial {best.number}",)
    assert (report.metric, report.test_metric, report.covers) == ("val/score", "test/score", "seeds and test units")
    assert done.summary.exit_code == 0
    assert report.notes == ()
    assert watcher.said[0].startswith(f"confirming toy-1: trial {best.number}, trial ")
    assert watcher.said[0].endswith(", default, up to 4 fresh seeds each")


def test_the_default_trains_with_the_same_fresh_seeds(won):
    report = won[2].report
    by_label = {candidate.label: candidate for candidate in report.candidates}
    winner, default = by_label[report.verdict.names[0]], by_label["default"]
    assert winner.seeds == default.seeds == (1000, 1001, 1002, 1003)
    assert (default.is_reference, default.params, default.search_value) == (True, {"x": 0.0}, None)
    assert winner.test_difference.separated
    assert winner.test_difference.mean == pytest.approx(winner.test.mean - default.test.mean)


def test_the_drop_is_the_searchs_value_minus_the_confirmed_one(won):
    for candidate in won[2].report.candidates:
        if candidate.search_value is not None:
            assert candidate.drop.mean == pytest.approx(candidate.search_value - candidate.val.mean)


def test_the_search_is_left_as_it_was(won):
    house, before, _, _ = won
    assert frozen(house) == before


def test_every_training_is_whole_and_the_best_checkpoint_is_what_test_measured(won):
    house, _, done, _ = won
    trials = done.summary.trials
    assert {(trial.ending.cause, trial.epochs, trial.best_step) for trial in trials} == {(Cause.FINISHED, 2, 1)}
    with closing(Storage(house.home.ledger_url)) as storage:
        examined = ConfirmationLog(storage.open("toy-1-confirm-1")).examined()
    finalists = {c.label for c in done.report.candidates if c.is_finalist}
    assert len(examined) == 4 * len(finalists)
    assert {found.step for found in examined.values()} == {1}
    assert all(found.metrics.keys() == {"test/score", "test/other"} for found in examined.values())


def test_the_read_of_test_is_on_record(won):
    (only,) = won[2].report.reads
    assert (only.who, only.why, only.own, only.finished) == ("mira@node7", "orch confirm toy-1", True, True)


def test_the_report_is_stored_and_lies_in_the_folder(won):
    house, _, done, _ = won
    assert confirmation_of(house.home, "toy-1") == done.report
    assert confirmation_of(house.home, "toy-1-confirm-1") == done.report
    assert find(house.home, "toy-1").unfinished is None
    assert is_confirmation(house.home, "toy-1-confirm-1")
    assert not is_confirmation(house.home, "toy-1")
    folder = house.home.sweep(done.summary.sweep.id).report
    assert done.report.verdict.sentence.split(":")[0] in (folder / "confirmation.html").read_text()
    assert (folder / "confirmation.json").read_text() == done.report.model_dump_json(indent=2)


def test_noise_alone_has_no_winner(house):
    house.launch(confirmable_spec(config={"effect": 0.0}, seed=1))
    report = confirmed(house, top=2, seeds=4).report
    assert report.verdict.outcome == "none"
    assert report.candidates[0].search_value != 0.0


def test_a_finished_confirmation_has_nothing_left_to_do(house):
    house.launch(confirmable_spec())
    done = confirmed(house)
    watcher = Lines()
    assert confirmed(house, "toy-1-confirm-1", watcher=watcher).report == done.report
    assert watcher.said == ["confirmation toy-1-confirm-1 is finished, nothing is left to do"]
    with pytest.raises(UsageError, match="toy-1-confirm-1 confirms toy-1; go on with: orch confirm toy-1"):
        house.resume("toy-1-confirm-1")


def test_a_second_read_of_the_same_split_needs_to_be_asked_for(house):
    house.launch(confirmable_spec())
    first = confirmed(house).report
    house.launch(confirmable_spec(seed=5), sweep_id="id-2")
    for reference in ("toy-1", "toy-2"):
        with pytest.raises(UsageError, match=r"test has been read 1 time before: by mira@node7 at .* no longer unseen"):
            confirmed(house, reference, sweep_id="c-2")
    with pytest.raises(UsageError, match="test has been read 1 time before"):
        use_case.look_ahead(house.checked(confirmable_spec(confirm={})), house.around(), again=False)
    assert len(overview.list_sweeps(house.home)) == 3, "nothing was begun"
    watcher = Lines()
    second = confirmed(house, watcher=watcher, sweep_id="c-2", again=True).report
    assert watcher.said[0].startswith("test has been read 1 time before")
    assert [note.startswith("test has been read 1 time before") for note in second.notes] == [True]
    assert len(second.reads) == 2
    assert {1000, 1001, 1002}.isdisjoint(second.candidates[0].seeds), "seeds of a first confirmation are not fresh"
    assert first.reads == second.reads[:1] or not second.reads[0].own
    other = confirmable_spec(config={"data": {"num_test": 41, "num_train": 10}})
    use_case.look_ahead(house.checked(other), house.around(), again=False)


def test_without_test_val_decides_with_fresh_seeds(house):
    house.launch(confirmable_spec())
    report = confirmed(house, test=False).report
    assert (report.test_metric, report.reads, report.covers) == (None, (), "seeds alone")
    assert report.notes[0].startswith("test was left unread, as was asked: the verdict rests on val with fresh seeds")
    assert confirmed(house, sweep_id="c-2").report.test_metric == "test/score", "nobody has read it"


def test_a_trainable_without_a_test_split_is_confirmed_on_val(house):
    house.launch(toy_spec(space={"x": {"type": "float", "low": 0.5, "high": 1.0}}, config={"epochs": 1}))
    report = confirmed(house).report
    assert report.test_metric is None
    assert report.notes[0].startswith("tests.support.toys:train cannot measure on test")


def stopping_at(kind, count):
    """A watcher that sends this process SIGINT at an event of its kind."""

    def on_event(event):
        if event.kind == kind and [e.kind for e in watcher.events].count(kind) == count:
            os.kill(os.getpid(), signal.SIGINT)

    watcher = Lines(on_event)
    return watcher


def test_an_interrupted_confirmation_goes_on_to_the_same_report(house, won):
    house.launch(confirmable_spec())
    first = confirmed(house, watcher=stopping_at("ended", 4), top=2, seeds=4)
    assert (first.report, first.summary.state, first.summary.exit_code) == (None, "PAUSED", 130)
    assert find(house.home, "toy-1").unfinished == "toy-1-confirm-1"
    with pytest.raises(UsageError, match="toy-1-confirm-1 is not finished and goes on as it was begun; leave out --se"):
        use_case.confirm("toy-1", house.around(), asked(top=None, seeds=9), sweep_id="c-2")
    done = confirmed(house, top=None, seeds=None)
    assert figures(done.report) == figures(won[2].report)
    assert len(overview.list_sweeps(house.home)) == 2


def test_a_read_that_was_interrupted_goes_on_and_counts(house, won, monkeypatch):
    house.launch(confirmable_spec())
    note, done = ConfirmationLog.note_examined, []

    def crash(log, number, examined):
        note(log, number, examined)
        done.append(number)
        if len(done) == 2:
            raise RuntimeError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ConfirmationLog, "note_examined", crash)
        with pytest.raises(RuntimeError, match="the machine is gone"):
            confirmed(house, top=2, seeds=4)
    with pytest.raises(UsageError, match="orch confirm toy-1, interrupted"):
        use_case.look_ahead(house.checked(confirmable_spec(seed=5, confirm={})), house.around(), again=False)
    report = confirmed(house, "toy-1-confirm-1", top=None, seeds=None).report
    assert figures(report) == figures(won[2].report)
    assert [read.finished for read in report.reads] == [False, True]


def test_a_crash_before_the_report_is_stored_is_made_good(house, won, monkeypatch):
    house.launch(confirmable_spec())

    def crash(log, report):
        raise RuntimeError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ConfirmationLog, "write_report", crash)
        with pytest.raises(RuntimeError, match="the machine is gone"):
            confirmed(house, top=2, seeds=4)
    report = confirmed(house, top=None, seeds=None).report
    assert figures(report) == figures(won[2].report)
    assert len(report.reads) == 1, "all of it was stored: test is not read again"


def test_a_search_that_is_driven_is_not_confirmed(house):
    house.launch(confirmable_spec(trials=2))
    with (
        driven(house.home),
        pytest.raises(LockedError, match=r"toy-1 is driven by process .* confirm it when it has ended"),
    ):
        confirmed(house)


def test_a_search_that_has_not_ended_is_confirmed_and_the_report_says_so(house):
    house.launch(confirmable_spec(), watcher=stopping_at("ended", 3))
    report = confirmed(house, test=False).report
    assert report.notes[0] == "the search had not come to its end (PAUSED: SIGINT)"


def test_seeds_that_fail_are_counted_and_leave_no_value(house):
    house.launch(confirmable_spec(config={"fails_from": 1002}))
    report = confirmed(house, seeds=4).report
    assert {(c.num_failed, c.seeds) for c in report.candidates} == {(2, (1000, 1001))}


def test_a_candidate_below_a_floor_trains_to_its_end_and_is_named(house):
    house.launch(confirmable_spec(floors={"val/score": 0.5}))
    done = confirmed(house, test=False)
    assert {trial.epochs for trial in done.summary.trials} == {2}
    assert "default is below the floor of val/score, 0.5, with 3 of its seeds" in done.report.notes


def test_a_confirmation_whose_trainings_all_fail_has_no_report(house):
    house.launch(confirmable_spec(config={"fails_from": 1000}))
    done = confirmed(house)
    assert (done.report, done.summary.sweep.state, done.summary.exit_code) == (None, SweepState.FAILED, 1)


def test_a_missing_checkpoint_is_said(house, monkeypatch):
    house.launch(confirmable_spec())
    launch = drive.launch

    def losing(*arguments, **options):
        summary = launch(*arguments, **options)
        for folder in house.home.sweep("c-1").checkpoints.glob("trial-0000/step-*"):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        return summary

    monkeypatch.setattr(use_case, "launch", losing)
    report = confirmed(house).report
    (note,) = report.notes
    assert note.startswith("training 0 could not be measured on test: ")
    assert sorted(c.test.num_seeds for c in report.candidates) == [2, 3]


def test_a_test_split_that_is_not_there_is_told_before_anything_is_trained():
    text = """
name: omniglot
trainable: incremental
objective: {metric: val/last_accuracy, direction: maximize}
space: {optimizer.lr: {type: float, low: 0.001, high: 0.01}}
config: {data: {source: omniglot, root: nowhere}}
budget: {trials: 2}
confirm: {top: 1}
"""
    checked = check(parse(text, file="omniglot.yaml"), directory=Path.cwd())
    with pytest.raises(UsageError, match=r"the test split cannot be read: data.test_drawers is 0[\s\S]*test: false"):
        use_case.look_ahead(checked, cast(Surroundings, None), again=True)
