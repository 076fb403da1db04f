"""What SECURITY.md promises, with real sweeps: who sees which secret, what is imported when, which ports are open."""

import json

import pytest

from orchestrator.spec.dumping import dump
from tests.support.commands import Orch
from tests.support.specs import TWO_WORKERS, toy_spec

ONE_WORKER = {**TWO_WORKERS, "max_concurrent": 1}


@pytest.fixture
def orch(tmp_path):
    """The command in a folder of its own; what it starts is stopped."""
    made = Orch(tmp_path)
    yield made
    made.close()


def curious(orch, **sections):
    """A sweep file whose one trial notes the environment that it sees; and where."""
    notes = orch.folder / "seen.json"
    spec = toy_spec(trainable="tests.support.curious:train", config={"notes": str(notes)}, trials=1, **sections)
    file = orch.folder / "curious.yaml"
    file.write_text(dump(spec))
    return file, notes


@pytest.mark.ray
@pytest.mark.slow
def test_a_worker_sees_the_allowed_variables_and_those_that_the_file_names(orch, monkeypatch):
    secrets = ("AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_PASSWORD", "HF_TOKEN", "RAY_AUTH_TOKEN")
    for name in (*secrets, "WANDB_API_KEY"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    file, notes = curious(orch, resources={**ONE_WORKER, "env": ["WANDB_API_KEY"]})
    done = orch.run("sweep", file)
    assert done.code == 0, done.err
    seen = json.loads(notes.read_text())
    for variables in (seen["here"], seen["started"]):
        assert {*secrets, "ORCH_HOME", "MLFLOW_TRACKING_URI"}.isdisjoint(variables)
        assert {"WANDB_API_KEY", "HF_HUB_OFFLINE", "PATH", "PYTHONPATH", "RAY_JOB_ID"} <= set(variables)


def test_the_in_process_runner_changes_no_environment(orch, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    file, notes = curious(orch)
    done = orch.run("sweep", file, "--runner", "local")
    assert done.code == 0, done.err
    assert json.loads(notes.read_text())["here"]["AWS_SECRET_ACCESS_KEY"] == "canary"


OWN = "from pathlib import Path\nPath(__file__).with_name('imported').touch()\nfrom tests.support.toys import *\n"
READS = [
    ("ls",), ("status", "toy-1"), ("show", "toy-1"), ("show", "toy-1", "0"), ("best", "toy-1"),
    ("compare", "toy-1", "toy-1"), ("diagnose", "toy-1", "0"), ("resume", "toy-1"), ("sync", "toy-1"), ("doctor",),
]  # fmt: skip


@pytest.mark.slow
def test_reading_a_sweep_imports_no_code_of_its_user(orch):
    (orch.folder / "mine.py").write_text(OWN)
    file = orch.folder / "mine.yaml"
    file.write_text(dump(toy_spec(trainable="mine:train", trials=2)))
    done = orch.run("sweep", file, "--runner", "local", cwd=orch.folder)
    assert done.code == 0, done.err
    mark = orch.folder / "imported"
    assert mark.exists()
    mark.unlink()
    for command in READS:
        done = orch.run(*command, cwd=orch.folder)
        assert done.code in (0, 2), (command, done.err)  # nothing is left for sync
        assert not mark.exists(), command
