"""`orch` as a process of its own: signals, closed pipes, and the first seconds with Ray."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.orchestrator.cli.conftest import NOWHERE, SWEEP, TOY

ORCH = (sys.executable, "-m", "orchestrator")
SLOWLY = ("--set", "config.epoch_s=0.2")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "toy.yaml").write_text(SWEEP)
    return tmp_path


def start(folder, *arguments):
    environment = {**os.environ, "MLFLOW_TRACKING_URI": NOWHERE}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*ORCH, *arguments], cwd=folder, env=environment, text=True, **pipes)


def run(folder, *arguments):
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_pauses_and_the_printed_command_goes_on(folder, number, code):
    process = start(folder, "sweep", "toy.yaml", "--runner", "local", *SLOWLY)
    for line in process.stderr:
        if line.startswith("trial 1 started"):
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=60)

    assert process.returncode == code
    assert f"toy-1: paused ({number.name})" in err
    (command,) = [line.split("orch ", 1)[1] for line in err.splitlines() if line.startswith("  resume")]
    returncode, out, _ = run(folder, *command.split(), "--json")
    assert returncode == 0
    assert json.loads(out)["counts"]["complete"] == 3


@pytest.mark.parametrize("command", ["schema", "doctor", "--help"])
def test_a_reader_that_leaves_is_no_fault(folder, command):
    with start(folder, command) as process:
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (0, "")


@pytest.mark.ray
def test_resources_that_the_cluster_never_has_are_named_within_seconds(folder):
    began_s = time.monotonic()
    code, out, err = run(folder, "sweep", "toy.yaml", "--set", "resources.cpu=1000")

    assert code == 2
    assert time.monotonic() - began_s < 40
    assert "a trial needs 1000 CPU" in err
    assert err.startswith("orch: --set resources.cpu=1000") or "resources:" in err
    assert "Traceback" not in err
    assert out == ""
    assert not (folder / ".orch" / "ledger.db").exists()


@pytest.mark.ray
@pytest.mark.slow
def test_on_ray_too_stdout_is_one_document_whatever_workers_print(folder):
    (folder / "toy.py").write_text(
        TOY.replace("    for epoch in", "    print('hello from a worker', flush=True)\n    for epoch in")
    )
    code, out, err = run(folder, "sweep", "toy.yaml", "--json", *SLOWLY)

    assert code == 0, err
    document = json.loads(out)
    assert document["counts"]["complete"] == 3
