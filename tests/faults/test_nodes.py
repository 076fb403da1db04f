"""Nodes and clusters that go away in the middle of a sweep, on several Ray nodes of this machine."""

import os
import signal
import subprocess

import psutil
import pytest
from ray.cluster_utils import Cluster

from orchestrator.trial import Mishap
from tests.support.commands import diary_lines, wait_for

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(290),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, when the store is read here
]
ONE_EACH = {"cpu": 1, "gpu": 0.0, "checkpoint_interval_s": 0.0}


@pytest.fixture
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def raylet(node) -> psutil.Process:
    """The raylet process of a node."""
    (info,) = node.all_processes["raylet"]
    return psutil.Process(info.process.pid)


def start(orch, cluster, tmp_path, *, trials=4):
    diary = tmp_path / "diary"
    config = {"epochs": 6, "epoch_s": 0.4, "diary": str(diary)}
    process = orch.start(
        "sweep", orch.file(trials=trials, config=config, resources=ONE_EACH), "--json", "--address", cluster.address
    )
    wait_for(lambda: sum("epoch 2" in line for line in diary_lines(diary)) >= 2, what="epoch 2 on both nodes")
    return process


def assert_complete(orch, trials=4):
    records = orch.records()
    assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", 6) for n in range(trials)]
    assert all([m.step for m in r.measurements] == list(range(7)) for r in records)
    assert sorted(number for _, number, _ in orch.runs() if number is not None) == list(range(trials))
    return records


@pytest.mark.fault("node loss (raylet kill -9)", phase="mid-epoch", outcome="its trial goes on elsewhere, not charged")
def test_the_trial_of_a_lost_node_goes_on_elsewhere(orch, cluster, tmp_path):
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    process = start(orch, cluster, tmp_path)
    raylet(other).kill()
    done = orch.end(process, timeout=200)
    assert done.code == 0, done.err
    records = assert_complete(orch)
    lost = [attempt for record in records for attempt in record.lost_attempts]
    assert [attempt.mishap for attempt in lost] == [Mishap.NODE_LOST]


@pytest.mark.fault("head and GCS kill -9", phase="mid-epoch", outcome="exit, and resume on a new cluster completes")
def test_a_lost_cluster_ends_the_command_and_a_new_one_completes_the_sweep(orch, cluster, tmp_path):
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    process = start(orch, cluster, tmp_path)
    (gcs,) = cluster.head_node.all_processes["gcs_server"]
    os.kill(gcs.process.pid, signal.SIGKILL)
    raylet(cluster.head_node).kill()
    try:
        done = orch.end(process, timeout=150)
    except subprocess.TimeoutExpired:
        pytest.fail("the driver still waits for a cluster that is gone")
    assert done.code != 0
    resumed = orch.run("resume", "toy-1", "--json", timeout=200)
    assert resumed.code == 0, resumed.err
    assert_complete(orch)
