"""Nodes and clusters that go away in the middle of a sweep, on several Ray nodes of this machine."""

import subprocess

import pytest
from ray.cluster_utils import Cluster

from orchestrator.trial import Mishap
from tests.support.commands import wait_for

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(290),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, when the store is read here
]
EPOCHS = 12
ONE_EACH = {"cpu": 1, "gpu": 0.0, "checkpoint_interval_s": 0.0}


@pytest.fixture
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def kill(node, name: str) -> None:
    """Kill a process of a node; its workers look whether their raylet is gone, and a zombie is not."""
    (info,) = node.all_processes[name]
    info.process.kill()
    info.process.wait()


def nodes_at_work(orch) -> set[float]:
    """The nodes of the trials that train now."""
    return {r.measurements[-1].metrics["node"] for r in orch.records() if not r.state.is_terminal and r.epochs}


def start(orch, cluster, *, trials=4):
    config = {"epochs": EPOCHS, "epoch_s": 0.5}
    process = orch.start(
        "sweep", orch.file(trials=trials, config=config, resources=ONE_EACH), "--json", "--address", cluster.address
    )
    wait_for(lambda: len(nodes_at_work(orch)) == 2, timeout=180, what="a trial on each of two nodes")
    return process


def assert_complete(orch, trials=4):
    records = orch.records()
    assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", EPOCHS) for n in range(trials)]
    assert all([m.step for m in r.measurements] == list(range(EPOCHS + 1)) for r in records)
    assert sorted(number for _, number, _ in orch.runs() if number is not None) == list(range(trials))
    return records


@pytest.mark.fault("node loss (raylet kill -9)", phase="mid-epoch", outcome="its trial goes on elsewhere, not charged")
def test_the_trial_of_a_lost_node_goes_on_elsewhere(orch, cluster):
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    process = start(orch, cluster)
    kill(other, "raylet")
    done = orch.end(process, timeout=200)
    assert done.code == 0, done.err
    records = assert_complete(orch)
    lost = [attempt for record in records for attempt in record.lost_attempts]
    # A worker sees its raylet die and ends; which of the two Ray tells of is a matter of milliseconds.
    assert [attempt.mishap in (Mishap.NODE_LOST, Mishap.WORKER_LOST) for attempt in lost] == [True]


@pytest.mark.fault(
    "head and GCS kill -9",
    phase="mid-epoch",
    outcome="exit 3 with the resume command, which completes on a new cluster",
)
def test_a_lost_cluster_ends_the_command_and_a_new_one_completes_the_sweep(orch, cluster):
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    process = start(orch, cluster)
    kill(cluster.head_node, "gcs_server")
    kill(cluster.head_node, "raylet")
    try:
        done = orch.end(process, timeout=150)
    except subprocess.TimeoutExpired:
        pytest.fail("the driver still waits for a cluster that is gone")
    assert done.code == 3, done.err
    assert "has gone away" in done.err
    assert "orch resume toy-1" in done.err
    resumed = orch.run("resume", "toy-1", "--json", timeout=200)
    assert resumed.code == 0, resumed.err
    assert_complete(orch)
