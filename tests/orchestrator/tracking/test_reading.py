"""What is read back of a real SQLite store; a server is in tests/faults/test_mlflow.py."""

import math
import sys

import pytest

from orchestrator.errors import InfrastructureError
from orchestrator.tracking import store as store_room
from orchestrator.tracking.delta import fold
from orchestrator.tracking.operations import EndTrial, LogMetrics, SetTags, StartTrial
from orchestrator.tracking.outbox import Identity
from orchestrator.tracking.reading import read_runs
from orchestrator.tracking.store import connect
from orchestrator.trial import RunStatus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def store(uri, request, tmp_path):
    name = request.node.name
    return connect(Identity(sweep="s", sweep_id=name, experiment="e", artifacts=tmp_path / "artifacts"), uri)


def read(uri, name, *, histories=False, experiment="e"):
    return read_runs(name, experiment=experiment, tracking_uri=uri, histories=histories)


def test_a_sweep_comes_back_with_its_points(store, uri, request):
    parent = store.create(None, name="s", start_ms=1, parent_id=None)
    trial = store.create(3, name="s 3", start_ms=2, parent_id=parent)
    told = [
        StartTrial(number=3, name="s 3", params={"lr": "0.1"}, tags={"orch.attempt": "2"}, start_ms=2),
        LogMetrics(number=3, step=1, metrics={"x": 0.1, "bad": math.nan, "up": math.inf}, at_ms=11),
        LogMetrics(number=3, step=0, metrics={"x": 1 / 3}, at_ms=10),
        SetTags(number=3, tags={"a": "b"}),
        EndTrial(number=3, status=RunStatus.KILLED, end_ms=12, tags={}),
    ]
    store.apply(trial, fold(told), created=True)

    above, below = read(uri, request.node.name, histories=True)

    assert (above.run_id, above.trial, above.parent) == (parent, None, None)
    assert (above.status, above.end_ms, above.histories) == (RunStatus.RUNNING, None, {})
    assert (below.run_id, below.trial, below.parent) == (trial, 3, parent)
    assert (below.status, below.start_ms, below.end_ms) == (RunStatus.KILLED, 2, 12)
    assert (below.params, below.tags["orch.attempt"], below.tags["a"]) == ({"lr": "0.1"}, "2", "b")
    assert below.histories["x"] == ((0, 10, 1 / 3), (1, 11, 0.1))
    assert below.histories["up"] == ((1, 11, sys.float_info.max),)
    assert math.isnan(below.histories["bad"][0][2])
    assert [run.histories for run in read(uri, request.node.name)] == [{}, {}]


def test_several_runs_of_one_trial_all_show_the_oldest_first(store, uri, request):
    late = store.create(0, name="late", start_ms=20, parent_id=None)
    early = store.create(0, name="early", start_ms=10, parent_id=None)
    assert [run.run_id for run in read(uri, request.node.name)] == [early, late]


def test_more_runs_than_a_page_holds(store, uri, request, monkeypatch):
    monkeypatch.setattr(store_room, "_PAGE", 2)
    for number in range(5):
        store.create(number, name="s", start_ms=number + 1, parent_id=None)
    assert [run.trial for run in read(uri, request.node.name)] == [0, 1, 2, 3, 4]


def test_other_sweeps_and_experiments_do_not_show(store, uri):
    store.create(0, name="s", start_ms=1, parent_id=None)
    assert read(uri, "another") == []
    assert read(uri, "another", experiment="another") == []


def test_a_store_that_is_not_there_is_said_and_not_made(tmp_path):
    with pytest.raises(InfrastructureError, match="there is no MLflow store at"):
        read(f"sqlite:///{tmp_path}/none.db", "s")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_said_without_its_password():
    with pytest.raises(InfrastructureError, match="cannot be read") as raised:
        read("http://me:secret@127.0.0.1:9", "s")
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_store_is_said(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, and long enough to be told apart from one" * 20)
    with pytest.raises(InfrastructureError, match="cannot be read"):
        read(f"sqlite:///{tmp_path}/mlflow.db", "s")
