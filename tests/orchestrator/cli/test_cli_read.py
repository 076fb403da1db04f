"""`orch ls`, `status`, `show`, `best` and `compare` on one finished sweep, and where there is none."""

import json
import sqlite3

import pytest

from tests.orchestrator.cli.conftest import listing


def test_ls(finished, orch):
    answer = orch("ls")
    header, row = answer.out.splitlines()

    assert header.split() == ["sweep", "id", "state", "trials", "best", "wall", "started"]
    assert row.split()[0] == "toy-1"
    assert row.split()[2:4] == ["COMPLETE", "3/3"]


def test_status(finished, orch):
    out = orch("status", "toy-1").out

    assert out.startswith("toy-1 (")
    assert "all 3 trials have ended" in out
    assert "3 complete of 3" in out
    assert "val/score 0." in out


def test_a_sweep_is_found_by_its_id_too(finished, orch):
    sweep_id = orch("ls", "--json").json[0]["id"]

    assert orch("status", sweep_id).out == orch("status", "toy-1").out


def test_show_ranks_the_trials_and_json_is_what_sweep_printed(finished, orch):
    shown = orch("show", "toy-1").out
    document = orch("show", "toy-1", "--json").json
    printed = json.loads(finished.out)

    of_this_run = {"startup_s", "elapsed_s", "lint"}
    assert {k: v for k, v in document.items() if k not in of_this_run} == {
        k: v for k, v in printed.items() if k not in of_this_run
    }
    rows = [line.split() for line in shown.splitlines()[-3:]]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert int(rows[0][1]) == document["best"]["number"]


def test_show_one_trial(finished, orch):
    out = orch("show", "toy-1", "1").out
    document = orch("show", "toy-1", "1", "--json").json

    assert out.startswith("toy-1 trial 1: COMPLETE (finished)")
    assert "best checkpoint" in out
    assert out.splitlines()[-4].split() == ["metric", "at", "epoch", "0", "1", "2", "3"]
    assert out.splitlines()[-3].split() == ["val/other", "0", "1", "2", "3"]
    assert out.splitlines()[-1] == "findings: none"
    assert [m["step"] for m in document["measurements"]] == [0, 1, 2, 3]
    assert document["cause"] == "finished"
    assert document["findings"] == []


def test_best(finished, orch):
    document = orch("best", "toy-1", "--json").json
    out = orch("best", "toy-1").out

    assert document["number"] == json.loads(finished.out)["best"]["number"]
    assert out.startswith(f"toy-1 trial {document['number']}: COMPLETE")
    assert "metric at epoch" not in out


def test_compare_sweeps_and_single_trials(finished, orch):
    out = orch("compare", "toy-1", "--top", "2").out
    both = orch("compare", "toy-1/0", "toy-1/2")

    assert len(out.splitlines()[0].split()) == 2
    assert both.out.splitlines()[0].split() == ["toy-1/0", "toy-1/2"]
    assert [line.split()[0] for line in both.out.splitlines() if line.startswith("x")] == ["x"]
    assert orch("compare", "toy-1/0", "toy-1/2", "--json").json


def test_a_pipe_gets_whole_lines(finished, orch):
    """No colour codes, no cut values."""
    for command in (("ls",), ("show", "toy-1"), ("show", "toy-1", "0"), ("compare", "toy-1")):
        out = orch(*command).out
        assert "\x1b" not in out
        assert "…" not in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("show", "toy-9"), "no sweep 'toy-9' in this ledger; the latest are: toy-1"),
        (("show", "toy-1", "99"), "sweep toy-1 has no trial 99; its trials are 0 to 2"),
        (("compare", "toy-1/x"), "'toy-1/x': the form is SWEEP or SWEEP/NUMBER"),
        (("compare", "toy-1/7"), "has no trial 7"),
        (("status", "toy"), "no sweep 'toy'"),
    ],
)
def test_what_is_not_there(finished, orch, command, message):
    answer = orch(*command)

    assert answer.code == 2
    assert message in answer.err


@pytest.mark.parametrize("ledger", [(), ("--ledger", "sqlite:///new.db"), ("--ledger", "sqlite:///a/b/new.db")])
@pytest.mark.parametrize("command", ["status x", "show x", "best x", "compare x y", "stop x", "sync x", "resume x"])
def test_an_empty_home_is_a_clear_message_and_nothing_is_made(folder, orch, command, ledger):
    before = listing(folder)
    answer = orch(*command.split(), *ledger)

    assert answer.code == 2
    assert "there is no ledger at " in answer.err
    assert ("new.db" if ledger else str(folder / ".orch" / "ledger.db")) in answer.err
    assert listing(folder) == before


@pytest.mark.parametrize("ledger", [(), ("--ledger", "sqlite:///a/new.db")])
def test_listing_an_empty_home_is_no_fault(folder, orch, ledger):
    before = listing(folder)

    assert orch("ls", *ledger).out == "no sweeps in .orch\n"
    assert orch("ls", "--json", *ledger).json == []
    assert listing(folder) == before
    assert not (folder / "a").exists()


def test_a_ledger_that_is_none(folder, orch):
    answer = orch("ls", "--ledger", "nonsense")

    assert answer.code == 2
    assert "the ledger's URL cannot be read" in answer.err


def test_a_ledger_cannot_lead_out_of_the_home(finished_copy, orch):
    with sqlite3.connect(".orch/ledger.db") as ledger:
        (text,) = ledger.execute("select value_json from study_user_attributes where key = 'orch:sweep'").fetchone()
        text = json.dumps(json.loads(text) | {"id": "../../../x"})
        ledger.execute("update study_user_attributes set value_json = ? where key = 'orch:sweep'", [text])
    ledger.close()
    for command in (("show", "toy-1"), ("ls",), ("stop", "toy-1"), ("export", "toy-1", "--to", "model")):
        answer = orch(*command)
        assert answer.code == 6
        assert "'../../../x' is not the id of a sweep" in answer.err


def test_the_table_of_many_trials_is_cut_and_says_so(finished, orch):
    lines = orch("show", "toy-1", "--top", "2").out.splitlines()

    assert lines[-1] == "these are the first 2 of 3 trials; more: --top 3; all: --json"
    assert [line.split()[0] for line in lines[-3:-1]] == ["1", "2"]
    assert len(orch("show", "toy-1", "--top", "2", "--json").json["trials"]) == 3
