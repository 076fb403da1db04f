"""Sweeps on a real Ray: counts, warm workers, lost workers, signals, and errors that come within seconds."""

import os
import signal
import socket
from collections import Counter

import pytest

from tests.support.commands import diary_lines, wait_for
from tests.support.specs import TWO_WORKERS, modes

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, when the store is read here
]


def workers(records):
    """The processes that trained, and when each imported the trainable."""
    return {(m.metrics["pid"], m.metrics["imported_at"]) for r in records for m in r.measurements}


def states(summary):
    return Counter(trial["state"] for trial in summary["trials"])


def test_a_sweep_runs_on_warm_workers_and_ends_with_the_right_counts(orch):
    file = orch.file(trials=12, resources=TWO_WORKERS, pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 3})
    done = orch.run("sweep", file, "--json")
    assert done.code == 0, done.err
    summary = done.json
    assert summary["state"] == "COMPLETE"
    assert [trial["number"] for trial in summary["trials"]] == list(range(12))
    assert sum(summary["counts"].values()) == 12
    assert summary["counts"]["pruned"] == states(summary)["PRUNED"] > 0
    assert summary["counts"]["complete"] == states(summary)["COMPLETE"] > 0
    assert all((trial["state"] == "COMPLETE") == (trial["epochs"] == 4) for trial in summary["trials"])
    trained = workers(orch.records())
    assert 1 <= len({pid for pid, _ in trained}) <= 2, "two workers at a time, each kept warm"
    assert len(trained) == len({pid for pid, _ in trained}), "imported once in a process"
    assert Counter(status for _, number, status in orch.runs() if number is not None) == {
        "FINISHED": summary["counts"]["complete"],
        "KILLED": summary["counts"]["pruned"],
    }


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_trial_alone(orch):
    sections = modes("learn", "die", "flat", "sink", epochs=3)
    done = orch.run("sweep", orch.file(**sections, resources=TWO_WORKERS), "--json")
    assert done.code == 0, done.err
    records = orch.records()
    assert Counter(r.state.value for r in records) == {"COMPLETE": 3, "FAILED": 1}
    (lost,) = [r for r in records if r.params["mode"] == "die"]
    assert lost.ending.cause.value == "worker_lost"
    assert [m.step for m in lost.measurements] == [0, 1]


@pytest.mark.slow
def test_settled_trials_keep_their_best_checkpoint_on_disk(orch):
    sections = modes("flat", "learn", epochs=3)
    stop = [{"type": "plateau", "patience": 2}]
    done = orch.run("sweep", orch.file(**sections, resources={**TWO_WORKERS, "checkpoint_interval_s": 30.0}, stop=stop))
    assert done.code == 0, done.err
    for record in orch.records():
        (folder,) = (orch.home / "sweeps").glob(f"*/checkpoints/trial-{record.number:04d}/step-{record.best_step:06d}")
        assert (folder / "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code", "whole_group"), [("SIGINT", 130, True), ("SIGTERM", 143, False)])
def test_a_signal_pauses_and_resume_ends_the_sweep_with_the_exact_count(orch, tmp_path, number, code, whole_group):
    diary = tmp_path / "diary"
    file = orch.file(trials=6, config={"epochs": 5, "epoch_s": 0.3, "diary": str(diary)}, resources=TWO_WORKERS)
    process = orch.start("sweep", file)
    wait_for(lambda: sum("epoch 3" in line for line in diary_lines(diary)) >= 3, what="epoch 3 of the third trial")
    if whole_group:  # what a terminal does on Ctrl-C
        os.killpg(process.pid, getattr(signal, number))
    else:
        process.send_signal(getattr(signal, number))
    done = orch.end(process, timeout=60)
    assert done.code == code, done.err
    assert done.seconds < 30
    assert "orch resume toy-1" in done.err
    records = orch.records()
    before = {r.number: [(m.step, m.metrics["val/score"]) for m in r.measurements] for r in records}
    assert {r.state.value for r in records} == {"COMPLETE", "PAUSED"}
    assert "RUNNING" not in [status for *_, status in orch.runs()]
    resumed = orch.run("resume", "toy-1", "--json")
    assert resumed.code == 0, resumed.err
    records = orch.records()
    assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", 5) for n in range(6)]
    for record in records:
        curve = [(m.step, m.metrics["val/score"]) for m in record.measurements]
        assert [step for step, _ in curve] == list(range(6))
        assert curve[: len(before.get(record.number, []))] == before.get(record.number, [])
    assert Counter(number for _, number, _ in orch.runs()) == Counter([None, *range(6)])


@pytest.mark.slow
def test_a_killed_driver_loses_nothing(orch, tmp_path):
    diary = tmp_path / "diary"
    file = orch.file(trials=6, config={"epochs": 5, "epoch_s": 0.2, "diary": str(diary)}, resources=TWO_WORKERS)
    for seen in (2, 5):
        process = orch.start("sweep", file) if seen == 2 else orch.start("resume", "toy-1")
        wait_for(lambda: sum("epoch 3" in line for line in diary_lines(diary)) >= seen, what="epoch 3")  # noqa: B023
        process.kill()
        orch.end(process)
    assert "RUNNING" in [r.state.value for r in orch.records()]
    resumed = orch.run("resume", "toy-1", "--json")
    assert resumed.code == 0, resumed.err
    records = orch.records()
    assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", 5) for n in range(6)]
    assert all([m.step for m in r.measurements] == list(range(6)) for r in records)
    assert Counter((number, status) for _, number, status in orch.runs()) == Counter(
        [(None, "FINISHED"), *((n, "FINISHED") for n in range(6))]
    )
    assert {trial["run_id"] is not None for trial in resumed.json["trials"]} == {True}


def test_resources_that_never_fit_are_named_within_seconds(orch):
    done = orch.run("sweep", orch.file(resources={**TWO_WORKERS, "cpu": 512}))
    assert (done.code, done.out) == (2, "")
    assert "a trial needs 512 CPU" in done.err
    assert "a local Ray cluster has" in done.err
    assert done.seconds < 30
    assert not (orch.home / "ledger.db").exists()


def test_an_unreachable_cluster_is_an_error_within_seconds(orch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = orch.run("sweep", orch.file(), "--address", f"127.0.0.1:{port}", timeout=60)
    assert done.code == 3, done.err
    assert f"127.0.0.1:{port}" in done.err
    assert "Traceback" not in done.err
    assert done.seconds < 15
    assert not (orch.home / "ledger.db").exists()


@pytest.mark.slow
def test_a_population_of_unequal_speeds_waits_for_its_members(orch):
    space = {"epoch_s": {"type": "float", "low": 0.0, "high": 0.5}, "x": {"type": "float", "low": -1.0, "high": 1.0}}
    sampler = {"type": "pbt", "population": 4, "interval_epochs": 2}
    file = orch.file(trials=100, resources=TWO_WORKERS, space=space, sampler=sampler, config={"epochs": 6})
    done = orch.run("sweep", file, "--json")
    assert done.code == 0, done.err
    records = orch.records()
    assert Counter(record.segment.until for record in records) == {2: 4, 4: 4, 6: 4}
    for record in records:
        begin = 0 if record.segment.parent is None else records[record.segment.parent].epochs + 1
        assert [m.step for m in record.measurements] == list(range(begin, record.segment.until + 1))
