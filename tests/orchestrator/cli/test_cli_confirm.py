"""`orch confirm`, what `sweep` and `resume` do with `confirm:`, and what `show`, `best` and `ls` say afterwards."""

import re

import pytest

from orchestrator.cli.confirm import called, who
from orchestrator.spec import dump
from tests.orchestrator.cli.conftest import NOWHERE, call
from tests.support.commands import ROOT
from tests.support.confirming import confirmable_spec

LOCAL = ("--runner", "local", "--tracking-uri", NOWHERE)


def write(folder, **sections):
    path = folder / "sweep.yaml"
    path.write_text(dump(confirmable_spec(**sections)))
    return path


@pytest.fixture(scope="module")
def confirmed_once(tmp_path_factory):
    """A folder with a sweep that has ended with its confirmation."""
    folder = tmp_path_factory.mktemp("confirmed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(ROOT))
        file = write(folder, confirm={"top": 1, "seeds": 3})
        assert call("sweep", file, *LOCAL, "--quiet") == 0
    return folder


@pytest.fixture
def confirmed(confirmed_once, monkeypatch):
    """Its folder, to read."""
    monkeypatch.chdir(confirmed_once)


def test_show_and_best_say_the_verdict_and_the_confirmed_figure(confirmed, orch):
    shown, best = orch("show", "toy-1").out, orch("best", "toy-1").out
    for out in (shown, best):
        assert "  confirmed  trial " in out
        assert "is the winner: test/score" in out
        assert "the search said " in out
    report = orch("show", "toy-1", "--json").json["confirmation"]["report"]
    assert report["verdict"]["outcome"] == "winner"
    assert orch("best", "toy-1", "--json").json["confirmation"]["report"] == report
    assert orch("status", "toy-1", "--json").json["confirmation"]["report"] == report


def test_a_confirmation_shows_its_table(confirmed, orch):
    out = orch("show", "toy-1-confirm-1").out
    header = next(line for line in out.splitlines() if line.startswith("candidate"))
    assert header.split() == ["candidate", "search", "val", "seeds", "drop", "test", "over", "default"]
    assert "cover seeds and test units" in out
    assert "  test read  " in out


def test_ls_marks_confirmations(confirmed, orch):
    rows = orch("ls").out.splitlines()
    assert rows[2].rstrip().endswith("confirms toy-1")
    assert [sweep["confirms"] for sweep in orch("ls", "--json").json] == [None, "toy-1"]


def test_a_second_read_is_refused_before_anything_starts(confirmed, orch):
    again = orch("confirm", "toy-1", *LOCAL)
    assert again.code == 2
    assert "test has been read 1 time before: by " in again.err
    assert "--again" in again.err
    sweep = orch("sweep", "sweep.yaml", *LOCAL)
    assert sweep.code == 2
    assert "test has been read 1 time before" in sweep.err
    assert len(orch("ls", "--json").json) == 2


def test_confirm_prints_the_report_and_json_is_one_document(confirmed, tmp_path, monkeypatch, orch):
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, confirm={"top": 1, "seeds": 3})
    assert orch("sweep", file, *LOCAL, "--no-confirm").code == 0
    document = orch("confirm", "toy-1", *LOCAL, "--json").json
    assert (document["sweep"], document["state"]) == ("toy-1-confirm-1", "COMPLETE")
    assert document["report"]["verdict"]["outcome"] == "winner"
    assert "orch confirm toy-1" in document["report"]["reads"][0]["why"]
    resumed = orch("resume", "toy-1", *LOCAL)
    assert resumed.code == 0
    assert "toy-1 was confirmed by toy-1-confirm-1" in resumed.err
    printed = orch("confirm", "toy-1", *LOCAL, "--again", "--top", 1, "--seeds", 3)
    assert printed.code == 0
    assert "is the winner" in printed.out
    assert "note: test has been read 1 time before" in printed.out


def test_a_resume_that_completes_the_search_confirms_it(tmp_path, monkeypatch, orch):
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, confirm={"top": 1, "seeds": 3, "test": False}, budget={"trials": 4, "wall_hours": 1e-9})
    ended = orch("sweep", file, *LOCAL)
    assert ended.code == 4
    assert [sweep["confirms"] for sweep in orch("ls", "--json").json] == [None]
    resumed = orch("resume", "toy-1", *LOCAL, "--set", "budget.wall_hours=1.0", "--json")
    assert resumed.code == 0
    assert resumed.json["confirmation"]["report"]["verdict"]["outcome"] == "winner"


def test_the_command_on_record_has_no_passwords(monkeypatch):
    monkeypatch.setattr("sys.argv", ["orch", "confirm", "toy-1", "--ledger", "postgresql://mira:secret@host/orch"])
    assert called() == "orch confirm toy-1 --ledger postgresql://***@host/orch"
    assert re.fullmatch(r"\S+@\S+", who())


def test_what_cannot_be_confirmed_is_said_and_the_search_stands(tmp_path, monkeypatch, orch):
    monkeypatch.chdir(tmp_path)
    space = {"x": {"type": "fixed", "value": 0.0}, "noise": {"type": "fixed", "value": 0.1}}
    file = write(tmp_path, space=space, trials=1, confirm={"top": 1, "seeds": 3})
    answer = orch("sweep", file, *LOCAL, "--json")
    assert answer.code == 2
    assert "not confirmed: nothing to confirm: the best of toy-1 is what it would be compared with" in answer.err
    assert (answer.json["state"], answer.json["confirmation"]) == ("COMPLETE", None)
