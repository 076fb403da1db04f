"""A toy trainable in a folder of its own, `orch` in this process, and one finished sweep to read."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.cli import main

TOY = '''"""Learns in no time: the best x is 0.7."""
import os
import signal
import time
from collections.abc import Iterator

from pydantic import BaseModel, Field

from trainables.contract import Measurement, TrialContext

METRICS = {"val/score": "1 is perfect", "val/other": "for a second row"}


class Config(BaseModel, extra="forbid"):
    x: float = Field(default=0.5, ge=0, le=1)
    kind: str = "a"
    epochs: int = Field(default=3, ge=1)
    epoch_s: float = Field(default=0.0, ge=0)
    fails: bool = False
    interrupts: bool = False


def train(config: Config, context: TrialContext) -> Iterator[Measurement]:
    first = 0 if context.resume is None else int(context.resume["epoch"]) + 1
    for epoch in range(first, config.epochs + 1):
        time.sleep(config.epoch_s if epoch else 0)
        if config.fails:
            print("a line of the trainable's own")
            raise ValueError("no luck")
        if config.interrupts and epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)
        context.save(lambda epoch=epoch: {"epoch": epoch})
        score = (1 - (config.x - 0.7) ** 2) * epoch / config.epochs
        yield Measurement(epoch, {"val/score": score, "val/other": float(epoch)})
'''
SWEEP = """\
name: toy
trainable: toy:train
objective: {metric: val/score, direction: maximize}
space:
  x: {type: float, low: 0, high: 1}
config: {epochs: 3}
sampler: {type: random}
budget: {trials: 3}
resources: {gpu: 0}
"""
NOWHERE = "http://127.0.0.1:9"
"""An MLflow server that is not there."""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def write_toy(folder: Path) -> Path:
    (folder / "toy.py").write_text(TOY)
    (folder / "toy.yaml").write_text(SWEEP)
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    """All files below with their content; Python's own caches do not count."""
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: content for name, content in files.items() if "__pycache__" not in name}


def call(*arguments) -> int:
    """`orch` with these arguments in this process; the exit code."""
    before = sys.argv
    sys.argv = ["orch", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    raise AssertionError("main always exits")


@pytest.fixture
def orch(capsys):
    """Runs `orch` in this process and returns its code and what it wrote."""

    def run(*arguments) -> Answer:
        capsys.readouterr()
        code = call(*arguments)
        written = capsys.readouterr()
        assert "Traceback" not in written.err or "no luck" in written.err, written.err
        return Answer(code, written.out, written.err)

    return run


@pytest.fixture
def forget_toy(monkeypatch):
    """Modules and import paths of one test do not reach the next."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    sys.modules.pop("toy", None)
    yield
    sys.modules.pop("toy", None)


@pytest.fixture
def folder(tmp_path, monkeypatch, forget_toy):
    """The working directory: the toy, its sweep file, and nothing else."""
    monkeypatch.chdir(write_toy(tmp_path))
    return tmp_path


@pytest.fixture
def sweep(folder, sweep_here):
    """Runs the toy's sweep file in this process and an empty folder, with an MLflow that is down."""
    return sweep_here


@pytest.fixture
def sweep_here(orch):
    """The same in the working directory as it is."""

    def run(*arguments) -> Answer:
        return orch("sweep", "toy.yaml", "--runner", "local", "--tracking-uri", NOWHERE, *arguments)

    return run


@dataclass(frozen=True)
class Finished:
    folder: Path
    out: str
    err: str


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory):
    """A sweep that a process of its own has run to its end, MLflow and all."""
    folder = write_toy(tmp_path_factory.mktemp("finished"))
    command = [sys.executable, "-m", "orchestrator", "sweep", "toy.yaml", "--runner", "local", "--json"]
    done = subprocess.run(command, cwd=folder, env={**os.environ}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return Finished(folder, done.stdout, done.stderr)


@pytest.fixture
def finished(finished_once, monkeypatch, forget_toy):
    """That sweep, to read; the working directory is its folder, and the test may change nothing there."""
    monkeypatch.chdir(finished_once.folder)
    before = listing(finished_once.folder)
    yield finished_once
    assert listing(finished_once.folder) == before


@pytest.fixture
def finished_copy(finished_once, tmp_path, monkeypatch, forget_toy):
    """A copy of its folder, to change."""
    copy = tmp_path / "copy"
    shutil.copytree(finished_once.folder, copy)
    monkeypatch.chdir(copy)
    return copy
