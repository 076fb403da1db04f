"""The MLflow adapter on a SQLite store. A store is made once for the whole file: its schema takes two seconds."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.tracking.delta import fold
from orchestrator.tracking.operations import EndTrial, LogArtifact, LogMetrics, SetTags, StartTrial
from orchestrator.tracking.outbox import Identity
from orchestrator.tracking.store import StoreError, configure, connect, is_permanent
from orchestrator.trial import RunStatus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def store(uri, request, tmp_path):
    name = request.node.name
    return connect(Identity(sweep="s", sweep_id=name, experiment=name, artifacts=tmp_path / "artifacts"), uri)


@pytest.fixture
def client(store, uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def start(**params):
    return StartTrial(number=0, name="t", params=params, tags={}, start_ms=1000)


def test_a_run_is_found_by_tag_after_it_was_created(store):
    assert store.runs() == {}
    parent = store.create(None, name="s", start_ms=1, parent_id=None)
    trial = store.create(10, name="s 10", start_ms=1, parent_id=parent)
    assert store.runs() == {None: parent, 10: trial}


def test_the_oldest_of_several_runs_is_the_one(store):
    store.create(0, name="late", start_ms=20, parent_id=None)
    early = store.create(0, name="early", start_ms=10, parent_id=None)
    assert store.runs() == {0: early}


def test_a_confirmations_run_belongs_under_the_run_of_its_search(store, uri, tmp_path):
    searched = store.create(None, name="s-1", start_ms=1, parent_id=None)
    above = {"s-1": "test_a_confirmations_run_belongs_under_the_run_of_its_search", "s-9": "nowhere", None: None}
    for name, sweep_id in above.items():
        identity = Identity(
            sweep="c",
            sweep_id=f"c of {name}",
            experiment=store._identity.experiment,
            artifacts=tmp_path,
            parent_sweep_id=sweep_id,
        )
        assert connect(identity, uri).find_above() == (searched if name == "s-1" else None)


def test_sending_twice_is_sending_once(store, client):
    run_id = store.create(0, name="t", start_ms=1, parent_id=None)
    points = [LogMetrics(number=0, step=i, metrics={"x": i / 7}, at_ms=i) for i in range(1500)]
    delta = fold([start(lr="0.1"), *points, SetTags(number=0, tags={"a": "b"})])
    store.apply(run_id, delta, created=True)
    store.apply(run_id, delta, created=False)
    history = client.get_metric_history(run_id, "x")
    assert [(m.step, m.value) for m in history] == [(i, i / 7) for i in range(1500)]


def test_a_run_ends_and_runs_again(store, client):
    run_id = store.create(0, name="t", start_ms=1000, parent_id=None)
    end = EndTrial(number=0, status=RunStatus.KILLED, end_ms=5000, tags={})
    store.apply(run_id, fold([start(), end]), created=True)
    info = client.get_run(run_id).info
    assert (info.status, info.start_time, info.end_time, info.run_name) == ("KILLED", 1000, 5000, "t")
    store.apply(run_id, fold([start()]), created=False)
    assert client.get_run(run_id).info.status == "RUNNING"


def test_a_param_that_changed_after_a_resume_is_a_tag(store, client):
    run_id = store.create(0, name="t", start_ms=1, parent_id=None)
    store.apply(run_id, fold([start(trials="3", seed="0")]), created=True)
    store.apply(run_id, fold([start(trials="9", seed="0", new="1")]), created=False)
    data = client.get_run(run_id).data
    assert data.params == {"trials": "3", "seed": "0", "new": "1"}
    assert {name: text for name, text in data.tags.items() if "now" in name} == {"orch.now.trials": "9"}


def test_what_can_not_help_to_repeat(store):
    run_id = store.create(0, name="t", start_ms=1, parent_id=None)
    with pytest.raises(Exception, match="nvalid value") as refused:
        store.apply(run_id, fold([LogMetrics(number=0, step=1, metrics={"/x": 1.0}, at_ms=1)]), created=False)
    assert is_permanent(refused.value)
    with pytest.raises(FileNotFoundError) as missing:
        store.apply(run_id, fold([LogArtifact(number=0, path="/nowhere/at/all")]), created=False)
    assert is_permanent(missing.value)
    assert not is_permanent(ConnectionError("refused"))
    assert not is_permanent(TimeoutError())


def test_a_server_that_is_not_there_is_not_permanent(tmp_path):
    identity = Identity(sweep="s", sweep_id="i", experiment="e", artifacts=tmp_path)
    with pytest.raises(Exception, match="API request") as down:
        connect(identity, "http://127.0.0.1:9")
    assert not is_permanent(down.value)


def test_artifacts_of_a_local_store_lie_where_orch_says(store, client, tmp_path):
    run_id = store.create(0, name="t", start_ms=1, parent_id=None)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    operations = [
        LogArtifact(number=0, path=str(tmp_path / "folder"), artifact_path="deep"),
        LogArtifact(number=0, path=str(tmp_path / "folder" / "a.txt")),
    ]
    store.apply(run_id, fold(operations), created=True)
    files = {str(p.relative_to(tmp_path / "artifacts" / run_id)) for p in (tmp_path / "artifacts").rglob("*.txt")}
    assert files == {"artifacts/deep/a.txt", "artifacts/a.txt"}


def test_another_store_is_noticed(store):
    with pytest.raises(StoreError, match="is it the right one"):
        store.check("0" * 32)


def test_a_deleted_experiment_is_an_error_with_a_way_out(uri, client, request, tmp_path):
    name = request.node.name
    client.delete_experiment(client.get_experiment_by_name(name).experiment_id)
    with pytest.raises(StoreError, match="restore it"):
        connect(Identity(sweep="s", sweep_id="i", experiment=name, artifacts=tmp_path), uri)


CONNECT = """
import sys
from pathlib import Path
from orchestrator.tracking.outbox import Identity
from orchestrator.tracking.store import connect

identity = Identity(sweep="s", sweep_id=sys.argv[2], experiment="both", artifacts=Path(sys.argv[1]) / "artifacts")
store = connect(identity, f"sqlite:///{sys.argv[1]}/home/mlflow.db")
store.create(None, name="s", start_ms=1, parent_id=None)
"""


@pytest.mark.slow
def test_two_processes_may_make_the_store_at_once_and_stay_silent(tmp_path):
    empty = tmp_path / "empty"
    (empty / "mlruns").mkdir(parents=True)  # an old ./mlruns must not change where things go
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with contextlib.ExitStack() as stack:
        both = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", CONNECT, str(tmp_path), sweep_id],
                    cwd=empty,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            for sweep_id in ("one", "two")
        ]
        said = [process.communicate()[0] for process in both]
    assert said == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    assert [str(path.relative_to(empty)) for path in empty.rglob("*")] == ["mlruns"]


@pytest.mark.parametrize(("asked", "told"), [(None, "true"), ("false", "false")])
def test_telemetry_is_off_unless_the_person_asks_for_it(monkeypatch, asked, told):
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    if asked:
        monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", asked)
    configure()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == told


def test_mlflow_is_quiet_although_something_imported_it_before_orch(tmp_path):
    """A trainable's module may do so; MLflow has then read its level of logging already."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import mlflow\n{CONNECT}", str(tmp_path), "one"],
        env={name: value for name, value in os.environ.items() if name != "MLFLOW_LOGGING_LEVEL"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (process.stdout, process.stderr) == ("", "")
