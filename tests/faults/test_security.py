"""What SECURITY.md promises, with real sweeps: who sees which secret, what is imported when, which ports are open."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from orchestrator.execution.exposure import asks_for_token
from orchestrator.spec.dumping import dump
from orchestrator.tracking import is_reachable, ui_command, ui_environment
from tests.support.commands import wait_for
from tests.support.specs import TWO_WORKERS, modes, toy_spec

ONE_WORKER = {**TWO_WORKERS, "max_concurrent": 1}


def curious(orch, **sections):
    """A sweep file whose one trial notes the environment that it sees; and where."""
    notes = orch.folder / "seen.json"
    spec = toy_spec(trainable="tests.support.curious:train", config={"notes": str(notes)}, trials=1, **sections)
    file = orch.folder / "curious.yaml"
    file.write_text(dump(spec))
    return file, notes


@pytest.mark.fault(
    "secrets in the driver's environment", phase="a worker starts", outcome="the worker sees those that the file names"
)
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


def listening(pid):
    """Where a command and all that it has started listen."""
    places = set()
    for process in (root := psutil.Process(pid), *root.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            places |= {(c.laddr.ip, c.laddr.port) for c in process.net_connections("inet") if c.status == "LISTEN"}
    return places


@pytest.mark.fault(
    "a stranger on the network",
    phase="a sweep on a local cluster",
    outcome="only loopback ports, each asks for a token",
)
@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_local_cluster_listens_on_loopback_asks_for_a_token_and_keeps_it_to_itself(orch, monkeypatch):
    """Without any token or mode of the person's own."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_USAGE_STATS_ENABLED"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(orch.folder))
    process = orch.start("sweep", orch.file(trials=2, config={"epoch_s": 5.0}, resources=ONE_WORKER))
    wait_for(lambda: any("ray::" in line for line in commands_of_children(process.pid)), timeout=240, what="a worker")
    places = listening(process.pid)
    assert places
    assert {ip for ip, _ in places} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    heads = [asks for _, port in places if (asks := asks_for_token(f"127.0.0.1:{port}")) is not None]
    assert heads and all(heads), "each service of Ray refuses a stranger"
    assert not any("RAY_AUTH_TOKEN=" in line for line in commands_of_children(process.pid))
    services = psutil.Process(process.pid).children()
    assert {service.environ().get("RAY_USAGE_STATS_ENABLED") for service in services} == {"0"}
    process.send_signal(signal.SIGINT)
    assert orch.end(process).code in (0, 130)
    assert not (orch.folder / ".ray").exists(), "no token is left in the home"


OWN = "from pathlib import Path\nPath(__file__).with_name('imported').touch()\nfrom tests.support.toys import *\n"
READS = [
    ("ls",), ("status", "toy-1"), ("show", "toy-1"), ("show", "toy-1", "0"), ("best", "toy-1"),
    ("compare", "toy-1", "toy-1"), ("diagnose", "toy-1", "0"), ("resume", "toy-1"), ("sync", "toy-1"), ("doctor",),
    ("verify", "toy-1"),
]  # fmt: skip


@pytest.mark.fault("a sweep's own code is hostile", phase="each reading command", outcome="not imported")
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


CANARY = "c4nary-5ecret"


@pytest.fixture
def mlflow_port(tmp_path):
    """A real MLflow server, which takes any password; its files are searched, too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ui_command("sqlite://", artifacts=tmp_path / "served", port=port)
    environment = ui_environment(f"sqlite:///{tmp_path / 'served.db'}", os.environ)
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: is_reachable(f"http://127.0.0.1:{port}", timeout_s=1), timeout=120, what="MLflow")
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture
def ray_folder(monkeypatch):
    """Ray's own logs, in a short path: its sockets are there."""
    with tempfile.TemporaryDirectory(prefix="orch-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def leaks(*folders):
    """Files that hold the canary."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    assert files
    return [str(file) for file in files if CANARY.encode() in file.read_bytes()]


def commands_of_children(pid):
    """The command lines of all processes that a command has started."""
    lines = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return lines


@pytest.mark.fault(
    "passwords in URLs and environment",
    phase="a whole sweep, failures too",
    outcome="in no file, output or command line",
)
@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_password_is_in_nothing_that_a_sweep_writes_or_shows(orch, mlflow_port, ray_folder, monkeypatch, tmp_path):
    ledger = f"sqlite:///file:{orch.home}/ledger.db?uri=true&password={CANARY}"
    orch.home.mkdir()
    for name in ("MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("ORCH_LEDGER", ledger)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{CANARY}@127.0.0.1:{mlflow_port}")
    file = orch.file(**modes("learn", "raise", "nan", epochs=2, epoch_s=0.5), resources=TWO_WORKERS)
    process = orch.start("sweep", file, "--json")
    wait_for(lambda: any("ray::" in line for line in commands_of_children(process.pid)), what="a worker")
    shown = commands_of_children(process.pid)
    done = [orch.end(process)]
    assert done[0].code == 0, done[0].err
    assert done[0].json["mlflow_pending"] == 0, done[0].err
    assert done[0].json["tracking_uri"] == f"http://127.0.0.1:{mlflow_port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{CANARY}@127.0.0.1:9")
    for command in [
        ("sweep", file, "--runner", "local"),
        ("show", "toy-1", "1"),
        ("plan", file, "--no-probe", "--json"),
        ("doctor",),
    ]:
        done.append(orch.run(*command))
    monkeypatch.setenv("ORCH_LEDGER", f"postgresql+psycopg2://me:{CANARY}@127.0.0.1:9/orch")
    done.append(orch.run("ls"))
    assert [CANARY in text for end in done for text in (end.out, end.err)] == [False] * 2 * len(done)
    assert not any(CANARY in line for line in shown)
    assert leaks(tmp_path, ray_folder) == []
