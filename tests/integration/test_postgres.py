"""Ledgers on a real PostgreSQL server: whole sweeps, kills, and a server that goes away in the middle."""

import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from orchestrator.errors import BrokenOffError
from orchestrator.study import Storage, database
from orchestrator.sweeps.paths import Home
from orchestrator.trial import TrialState
from tests.conftest import ROOT
from tests.support.commands import wait_for
from tests.support.home import House, Lines
from tests.support.no_mlflow import without_mlflow
from tests.support.specs import toy_spec


def records(url, sweep="toy-1"):
    """The trials as the ledger has them; none before the sweep exists."""
    with closing(Storage(url)) as storage:
        return storage.open(sweep).records() if sweep in storage.names else []


def measured(url):
    return sum(len(record.measurements) for record in records(url))


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_ends_with_its_trials(orch, postgres_url):
    file = orch.file(trials=4, config={"epochs": 4, "epoch_s": 0.1})
    options = ("--runner", "local", "--ledger", postgres_url)
    process = orch.start("sweep", file, *options)
    wait_for(lambda: measured(postgres_url) > 7, what="the second trial")
    process.kill()
    orch.end(process)
    before = records(postgres_url)

    done = orch.run("resume", "toy-1", *options, "--json")

    assert done.code == 0, done.err
    assert done.json["counts"]["complete"] == 4
    after = records(postgres_url)
    assert [record.params for record in after[: len(before)]] == [record.params for record in before]
    assert all([m.step for m in record.measurements] == [0, 1, 2, 3, 4] for record in after)
    assert {record.state for record in after} == {TrialState.COMPLETE}
    assert not (orch.home / "ledger.db").exists()


def test_what_is_committed_is_on_the_disk_also_where_the_server_is_told_otherwise(postgres_url):
    with closing(Storage(postgres_url)) as storage, storage._rdb.engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        connection.execute(text("ALTER ROLE CURRENT_USER SET synchronous_commit = off"))
        connection.commit()
    try:
        with closing(Storage(postgres_url)) as storage, storage._rdb.engine.connect() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    finally:
        with closing(Storage(postgres_url)) as storage, storage._rdb.engine.connect() as connection:
            connection.execute(text("ALTER ROLE CURRENT_USER RESET synchronous_commit"))
            connection.commit()


def test_several_processes_may_make_the_same_new_ledger_at_once(postgres_url):
    script = f"from orchestrator.study import Storage; Storage({postgres_url!r}).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ends == [("", 0)] * 4


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_is_started_again_is_reached_again_or_the_sweep_says_how_to_go_on(
    orch, postgres, postgres_url, how
):
    file = orch.file(trials=4, config={"epochs": 5, "epoch_s": 0.2})
    options = ("--runner", "local", "--ledger", postgres_url)
    process = orch.start("sweep", file, *options)
    wait_for(lambda: measured(postgres_url) > 7, what="the second trial")
    postgres.stop(how)
    time.sleep(1)
    postgres.start()

    done = orch.end(process)

    assert "Traceback" not in done.err
    if done.code != 0:
        assert done.code == 3, done.err
        assert "orch resume toy-1" in done.err
        done = orch.run("resume", "toy-1", *options)
    assert done.code == 0, done.err
    assert all([m.step for m in r.measurements] == [0, 1, 2, 3, 4, 5] for r in records(postgres_url))


def test_a_server_that_stays_away_ends_the_sweep_which_goes_on_when_it_is_back(house, postgres, monkeypatch):
    monkeypatch.setattr(database, "RETRIES_S", (0.1, 0.1))
    house.home = Home(house.home.root, ledger=postgres.database())

    def on_event(event):
        if event.kind == "measured" and [e.kind for e in watcher.events].count("measured") == 8:
            postgres.stop()

    watcher = Lines(on_event)
    try:
        with pytest.raises(BrokenOffError, match="does not answer") as caught:
            house.launch(toy_spec(trials=3), watcher=watcher)
    finally:
        postgres.start()
    assert caught.value.sweep == "toy-1"
    summary = house.resume()
    assert summary.counts["complete"] == 3
    assert all([m.step for m in trial.measurements] == [0, 1, 2, 3, 4] for trial in summary.trials)
    assert [trial.attempt for trial in summary.trials] == [1, 2, 1]


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A home for whole sweeps, with an MLflow that is down."""
    without_mlflow(monkeypatch)
    return House(tmp_path)
