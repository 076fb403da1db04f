"""What people change between an interruption and a resume: refused with the reason, or gone on with as a whole."""

import sqlite3
import sys
from contextlib import closing

import pytest

from orchestrator.study import Storage
from orchestrator.trial import TrialState
from tests.orchestrator.cli.conftest import call, write_toy
from tests.support.specs import TWO_WORKERS

NOWHERE = "http://127.0.0.1:9"
LOCALLY = ("--runner", "local", "--tracking-uri", NOWHERE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A sweep of three trials that was interrupted in its first."""
    monkeypatch.chdir(write_toy(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    reimport(monkeypatch)
    assert call("sweep", "toy.yaml", *LOCALLY, "--set", "config.interrupts=true", "--quiet") == 130
    return tmp_path


@pytest.fixture
def resume(folder, capsys):
    """Runs `orch resume`; returns its code and what it said."""

    def run(*arguments):
        capsys.readouterr()
        code = call("resume", "toy-1", *LOCALLY, *arguments)
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return code, said

    return run


def state(folder):
    """The trials, the sweep's record, and the copy of its file."""
    storage = Storage(f"sqlite:///{folder / '.orch' / 'ledger.db'}")
    try:
        (copy,) = folder.glob(".orch/sweeps/*/sweep.yaml")
        return storage.open("toy-1").records(), storage.find("toy-1"), copy.read_text()
    finally:
        storage.close()


def reimport(monkeypatch):
    """What a new process would do: forget the toy's module."""
    monkeypatch.delitem(sys.modules, "toy", raising=False)
    # The finder of a relative path keeps the folder that was current when it was made.
    sys.path_importer_cache.pop(".", None)


@pytest.mark.fault("code edited", phase="before a resume", outcome="exit 2 with the key that is gone, nothing changed")
def test_a_config_that_has_lost_a_searched_key(folder, resume, monkeypatch):
    before = state(folder)
    source = (folder / "toy.py").read_text()
    (folder / "toy.py").write_text(source.replace("    x: float = Field(default=0.5, ge=0, le=1)\n", ""))
    reimport(monkeypatch)
    code, said = resume()
    assert code == 2
    assert "the trainable's Config has no field 'x'" in said
    assert state(folder) == before
    (folder / "toy.py").write_text(source)
    reimport(monkeypatch)
    assert resume("--quiet")[0] in (0, 130)


@pytest.mark.fault("code edited", phase="before a resume", outcome="exit 2 where the module is gone, nothing changed")
def test_a_module_that_is_gone(folder, resume, monkeypatch):
    before = state(folder)
    (folder / "toy.py").unlink()
    reimport(monkeypatch)
    code, said = resume()
    assert code == 2
    assert "No module named 'toy'" in said
    assert state(folder) == before


@pytest.mark.fault("spec copy edited", phase="before a resume", outcome="exit 2, shows the difference, nothing changed")
def test_an_edited_copy_of_the_file(folder, resume):
    before = state(folder)[:2]
    (copy,) = folder.glob(".orch/sweeps/*/sweep.yaml")
    copy.write_text(copy.read_text().replace("high: 1", "high: 0.5"))
    code, said = resume()
    assert code == 2
    assert "space.x.high" in said
    assert state(folder)[:2] == before


@pytest.mark.fault("spec changed by --set", phase="resume", outcome="exit 2, shows the difference, nothing changed")
def test_a_question_that_is_changed_by_an_option(folder, resume):
    before = state(folder)
    code, said = resume("--set", "space.x.high=0.5")
    assert code == 2
    assert "space.x.high: 1.0 -> 0.5" in said
    assert state(folder) == before


def edit_parameter(folder, value):
    with closing(sqlite3.connect(folder / ".orch" / "ledger.db")) as ledger, ledger:
        edited = ledger.execute("UPDATE trial_params SET param_value = ? WHERE param_name = 'x'", (value,))
        assert edited.rowcount == 1


@pytest.mark.fault("parameters edited in the ledger", phase="before a resume", outcome="`orch verify` says so, exit 6")
def test_an_edited_parameter_is_found(folder):
    edit_parameter(folder, 0.123)
    assert call("verify", "toy-1", "--no-mlflow") == 6


@pytest.mark.fault(
    "fewer resources", phase="resume on a smaller machine", outcome="exit 2 with what a trial needs, nothing changed"
)
def test_a_machine_on_which_no_trial_fits(folder, resume):
    before = state(folder)
    code, said = resume("--set", "resources.cpu=4096")
    assert code == 2
    assert "a trial needs 4096 CPU" in said
    assert state(folder) == before


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.fault(
    "fewer resources", phase="resume with one worker of two", outcome="the sweep completes, same parameters"
)
def test_fewer_workers(orch):
    file = orch.file(trials=4, config={"epochs": 4, "epoch_s": 0.5}, resources=TWO_WORKERS)
    process = orch.start("sweep", file)
    while not any(record.epochs >= 2 for record in orch.records()):
        assert process.poll() is None, orch.end(process)
    process.kill()
    orch.end(process)
    before = {record.number: record.params for record in orch.records()}
    assert len(before) == 2
    done = orch.run("resume", "toy-1", "--set", "resources.max_concurrent=1", "--json")
    assert done.code == 0, done.err
    records = orch.records()
    assert [record.state for record in records] == [TrialState.COMPLETE] * 4
    assert before == {number: records[number].params for number in before}
