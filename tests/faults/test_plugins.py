"""Code that is not Orch's and misbehaves: module, Config, output, clean-up of a trainable; and who shows the sweep."""

import json
from contextlib import contextmanager

import pytest

from orchestrator.trial import Cause, TrialState
from tests.orchestrator.cli.conftest import call
from tests.support.home import House, Lines
from tests.support.specs import toy_spec

SWEEP = """\
name: toy
trainable: tests.support.troubled:train
objective: {{metric: val/score, direction: maximize}}
space:
  x: {{type: float, low: 0, high: 1}}
config: {{epochs: 3, trouble: {trouble}}}
sampler: {{type: random}}
budget: {{trials: 2}}
resources: {{gpu: 0, checkpoint_interval_s: 0}}
{more}
"""
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def sweep(tmp_path, monkeypatch, capsys):
    """Runs `orch sweep` on a troubled trainable; returns code, stdout and stderr, and whether anything was made."""
    monkeypatch.setenv("ORCH_HOME", str(tmp_path / "home"))

    def run(trouble, *arguments, more=""):
        file = tmp_path / "toy.yaml"
        file.write_text(SWEEP.format(trouble=trouble, more=more))
        code = call("sweep", file, "--runner", "local", "--tracking-uri", NOWHERE, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err, (tmp_path / "home").exists()

    return run


@pytest.mark.fault("Config with a value that cannot be pickled", phase="whole sweep", outcome="the sweep completes")
def test_a_lock_in_the_config(sweep):
    code, _, err, _ = sweep("none")
    assert code == 0, err
    assert "2 complete" in err


@pytest.mark.fault("raising `roles()`", phase="check", outcome="said as ORC200; the sweep runs without those rules")
def test_raising_roles(sweep):
    code, _, err, _ = sweep("roles")
    assert code == 0, err
    assert "ORC200 warning: trainable: roles() of its Config raised RuntimeError: the roles are broken" in err
    assert "Traceback" not in err


@pytest.mark.fault("raising validator of a Config", phase="check", outcome="exit 2 with its message, nothing created")
def test_a_raising_validator(sweep):
    code, _, err, created = sweep("validator")
    assert (code, created) == (2, False)
    assert "toy.yaml:2:12 trainable: tests.support.troubled:train: its Config raised RuntimeError: the valid" in err
    assert "Traceback" not in err


@pytest.mark.fault("raising clean-up", phase="after the last epoch", outcome="the trial fails with the traceback")
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [("cleanup", "RuntimeError: the clean-up is broken"), ("cleanup_exits", "SystemExit: enough")],
)
def test_a_raising_clean_up_at_the_end(sweep, trouble, reason):
    code, _, err, _ = sweep(trouble)
    assert code == 1
    assert f"2 x {reason} (trials 0, 1)" in err
    assert "troubled.py" in err


@pytest.mark.fault("raising clean-up", phase="after a stop rule", outcome="the ending stands, the worker goes on")
@pytest.mark.parametrize("trouble", ["cleanup", "cleanup_exits", "yields_in_cleanup"])
def test_a_raising_clean_up_after_an_early_end(sweep, trouble):
    code, out, err, _ = sweep(trouble, "--json", more="stop: [{type: max_epochs, epochs: 2}]")
    assert code == 0, err
    assert json.loads(out)["counts"]["stopped"] == 2


@pytest.mark.fault("trainable that prints megabytes", phase="each epoch", outcome="stdout stays one JSON document")
def test_a_trainable_that_prints_a_lot(sweep):
    code, out, err, _ = sweep("prints", "--json")
    assert code == 0
    assert json.loads(out)["counts"]["complete"] == 2
    assert "x" * 1000 in err


@pytest.mark.fault("raising state", phase="checkpoint", outcome="the trial fails with the traceback")
def test_a_state_that_raises(sweep):
    code, _, err, _ = sweep("state")
    assert code == 1
    assert "2 x RuntimeError: the state is broken (trials 0, 1)" in err


@pytest.mark.fault("state that cannot be written", phase="checkpoint", outcome="the trial fails, and names the value")
def test_a_state_that_is_no_checkpoint(desk):
    desk.run(toy_spec(trials=1, config={"mode": "odd_state"}))
    (record,) = desk.records()
    assert record.state is TrialState.FAILED
    assert record.ending.reason == "CheckpointError: state.lambda: a checkpoint cannot hold a function"


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.fault(
    "ImportError", phase="in the worker alone", outcome="trials fail with its message, exit 1; no worker is lost"
)
def test_an_import_that_fails_in_the_worker(orch, monkeypatch):
    monkeypatch.setenv("PYTHONORCH_TROUBLE", "import")
    file = orch.folder / "toy.yaml"
    file.write_text(SWEEP.format(trouble="none", more=""))
    done = orch.run("sweep", file, "--json")
    assert done.code == 1, done.err
    records = orch.records()
    assert {record.ending.cause for record in records} == {Cause.ERROR}
    assert all("a library is missing on this machine" in record.ending.reason for record in records)


@pytest.mark.fault("ImportError", phase="check", outcome="exit 2 with its message, nothing created")
def test_an_import_that_fails_at_once(sweep, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("import no_such_library\n")
    monkeypatch.chdir(tmp_path)
    code, _, err, created = sweep("none", "--set", "trainable=broken:train")
    assert (code, created) == (2, False)
    assert "no_such_library" in err and "Traceback" not in err


@pytest.mark.fault("slow trainable", phase="start", outcome="waited for, and its seconds are in the trial's costs")
def test_a_slow_start(desk):
    desk.run(toy_spec(trials=2, config={"epochs": 1, "start_s": 0.3}))
    assert [record.state for record in desk.records()] == [TrialState.COMPLETE] * 2
    assert all(record.train_s >= 0.3 for record in desk.records())


class Broken(Lines):
    """A watcher that fails at each event, or only when it is closed."""

    def __init__(self, at):
        super().__init__(self._raise if at == "event" else lambda event: None)
        self._at = at

    def _raise(self, event):
        raise OSError(5, "Input/output error")

    @contextmanager
    def watch(self, progress):
        if self._at == "open":
            raise RuntimeError("no table")
        yield
        if self._at == "close":
            raise RuntimeError("no last look")


@pytest.mark.fault("raising listener, closed terminal", phase="{at}", outcome="said once; the sweep runs to its end")
@pytest.mark.parametrize("at", ["event", "open", "close"])
def test_who_shows_the_sweep_cannot_end_it(tmp_path, at, capsys):
    summary = House(tmp_path).launch(toy_spec(trials=2), watcher=Broken(at))
    assert (summary.state, summary.exit_code, summary.counts["complete"]) == ("COMPLETE", 0, 2)
    assert capsys.readouterr().err.count("Traceback") == 1
