"""`orch stop`, `sync` and `ui`."""

import os
import sqlite3

import pytest

from orchestrator.sweeps.paths import Home
from tests.support.home import driven


def paths_of(folder, orch):
    return Home(folder / ".orch").sweep(orch("ls", "--json").json[0]["id"])


def test_what_mlflow_missed_is_delivered_later_and_the_ledger_then_knows_its_runs(sweep, folder, orch):
    ended = sweep("--json")
    assert ended.json["mlflow_pending"] > 0
    assert ended.json["parent_run_id"] is None
    still_down = orch("sync", "toy-1", "--timeout", "0.2")
    assert still_down.code == 3
    assert "MLflow: " in still_down.err

    answer = orch("sync", "toy-1", "--tracking-uri", f"sqlite:///{folder}/later.db", "--json")

    assert answer.code == 0
    assert (answer.json["pending"], answer.json["rejected"]) == (0, 0)
    assert answer.json["shipped"] >= ended.json["mlflow_pending"]
    with sqlite3.connect(f"file:{folder}/later.db?mode=ro", uri=True) as store:
        runs = {run for (run,) in store.execute("select run_uuid from runs where status = 'FINISHED'")}
    known = orch("show", "toy-1", "--json").json
    assert {known["parent_run_id"], *(trial["run_id"] for trial in known["trials"])} == runs
    assert known["tracking_uri"] == f"sqlite:///{folder}/later.db"
    assert len(runs) == 4
    again = orch("sync", "toy-1")
    assert (again.code, again.out) == (0, "toy-1: 0 delivered, 0 pending, 0 rejected\n")


def test_sync_leaves_a_running_sweep_to_its_driver(finished_copy, orch):
    with driven(Home(finished_copy / ".orch")):
        answer = orch("sync", "toy-1")

    assert answer.code == 5
    assert f"process {os.getpid()}" in answer.err


def test_stop_asks_the_driver_that_runs(finished_copy, orch):
    paths = paths_of(finished_copy, orch)
    with driven(Home(finished_copy / ".orch")):
        answer = orch("stop", "toy-1")

    assert answer.code == 0
    assert paths.stop_request.exists()
    assert "orch resume toy-1" in answer.out


def test_stop_of_what_does_not_run(finished, orch):
    answer = orch("stop", "toy-1")

    assert answer.code == 2
    assert "sweep toy-1 is not running: its state is COMPLETE" in answer.err


def test_ui_becomes_mlflow_on_the_store(folder, orch, monkeypatch):
    started, environment = [], {}

    def execve(program, arguments, environ):
        started.extend(arguments)
        environment.update(environ)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", execve)
    answer = orch("ui", "--port", "5055")

    store = f"sqlite:///{folder / '.orch' / 'mlflow.db'}"
    assert environment["MLFLOW_BACKEND_STORE_URI"] == store
    assert not any(store in argument for argument in started), "the process list shows arguments"
    assert started[-4:-2] == ["--port", "5055"] or "5055" in started
    assert "http://127.0.0.1:5055" in answer.err


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_that_is_none(orch, port):
    assert orch("ui", "--port", port).code == 2


def test_ui_of_a_server_names_it(orch):
    answer = orch("ui", "--tracking-uri", "http://127.0.0.1:9")

    assert answer.code == 2
    assert "http://127.0.0.1:9 is a server already: open it in a browser" in answer.err
