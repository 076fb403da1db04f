"""What a list reads is what the ledger says, without the measurements and without changing a byte."""

import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from orchestrator.errors import SweepNotFoundError
from orchestrator.study import open_archive
from orchestrator.trial import Cause, Ending, Measurement, TrialState
from tests.support.specs import toy_spec

SPACE = {
    "x": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
    "depth": {"type": "int", "low": 1, "high": 9},
    "kind": {"type": "categorical", "choices": [True, 1.5, "linear"]},
    "end": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": "linear"}},
}
ENDED = (Cause.FINISHED, Cause.PRUNED, Cause.OUT_OF_MEMORY)


@pytest.fixture
def ledger(desk):
    """Three trials that have ended, one that runs."""
    made = desk.create(toy_spec(space=SPACE, trials=9, floors={"noise": 0.3}), fixed={"epochs": 3})
    for cause in (*ENDED, None):
        number = made.ask().number
        for step in range(3):
            noise = float("nan") if step == 1 else step / 8
            made.report(number, Measurement(step, {"val/score": step / 7, "noise": noise}, 0.1 * step, 1_000 + step))
        if cause is not None:
            made.tell(number, Ending(cause, cause.value), findings={"point_collapse": "ill"})
    made.set_run_ids({0: "run-0"})
    return made


def bare(record):
    """A record as a list has it."""
    return replace(record, measurements=(), decisions=())


def test_outlines_are_the_records_without_what_was_measured(desk, ledger):
    archive = open_archive(desk.url)
    sweep = archive.find("toy-1")
    listed, records = archive.outlines(sweep), ledger.records()

    assert [trial.state for trial in listed][-1] is TrialState.RUNNING
    assert listed[:3] == [bare(record) for record in records[:3]]
    assert str(listed[3]) == str(records[3]), "of a trial that runs all is read"
    for trial, record in zip(listed, records, strict=True):
        assert (trial.epochs, trial.effort, trial.value) == (record.epochs, record.effort, record.value)
    assert listed[0].outline.findings == {"point_collapse": "ill"}
    assert str(archive.trial(sweep, 0)) == str(records[0])
    archive.close()


def test_trials_of_an_older_ledger_are_read_whole(desk, ledger):
    with sqlite3.connect(desk.url.removeprefix("sqlite:///")) as db:
        db.execute(
            "UPDATE trial_user_attributes SET value_json = json_remove(value_json, '$.outline') WHERE key = 'ending'"
        )
    archive = open_archive(desk.url)

    assert str(archive.outlines(archive.find("toy-1"))) == str(ledger.records())
    assert archive.outlines(archive.find("toy-1"))[0].outline is None
    archive.close()


def test_a_database_of_others_has_no_sweeps_and_stays_as_it_is(tmp_path):
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE theirs (one INTEGER)"))
    archive = open_archive(url)

    assert (archive.sweeps(), archive.names, archive.lease("id-1")) == ([], [], None)
    with pytest.raises(SweepNotFoundError, match="the latest are: none"):
        archive.find("toy-1")
    archive.close()
    with sqlite3.connect(tmp_path / "theirs.db") as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
