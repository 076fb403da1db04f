"""A cluster of two nodes on this machine, joined by address: trials on both, and two sweeps at once."""

import pytest
import ray
from ray.cluster_utils import Cluster

from orchestrator.errors import InfrastructureError
from orchestrator.execution import cluster as reaching
from orchestrator.spec.model import Resources
from tests.support.commands import wait_for

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(280)]
ONE_EACH = {"cpu": 1, "gpu": 0.0, "checkpoint_interval_s": 0.0}


@pytest.fixture(scope="module")
def cluster():
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


def test_trials_run_on_both_nodes(cluster, orch):
    file = orch.file(trials=6, config={"epoch_s": 0.2}, resources=ONE_EACH)
    done = orch.run("sweep", file, "--json", "--address", cluster.address, timeout=200)
    assert done.code == 0, done.err
    assert done.json["counts"]["complete"] == 6
    records = orch.records()
    assert len({m.metrics["node"] for r in records for m in r.measurements}) == 2
    assert all(len({m.metrics["node"] for m in r.measurements}) == 1 for r in records)


def test_two_sweeps_at_once_keep_their_trials_apart(cluster, orch):
    resources = {**ONE_EACH, "max_concurrent": 1}
    first = orch.start("sweep", orch.file(trials=4, config={"epoch_s": 0.2}, resources=resources), "--name", "first",
                       "--address", cluster.address)  # fmt: skip
    other = orch.start("sweep", orch.file(trials=4, config={"epoch_s": 0.2}, seed=1, resources=resources), "--name",
                       "other", "--address", cluster.address)  # fmt: skip
    ends = [orch.end(first, timeout=200), orch.end(other, timeout=200)]
    assert [end.code for end in ends] == [0, 0], [end.err for end in ends]
    params = []
    for name in ("first", "other"):
        records = orch.records(name)
        assert [(r.number, r.state.value, r.epochs) for r in records] == [(n, "COMPLETE", 4) for n in range(4)]
        params += [r.params["x"] for r in records]
    assert len(set(params)) == 8


def test_a_second_sweep_gets_its_half_of_a_cluster_that_one_has_taken(cluster, orch):
    """The first lets a worker go when its trial has ended, and has both again once the second is over."""
    sections = {"config": {"epoch_s": 0.2, "epochs": 5}, "resources": ONE_EACH}
    first = orch.start("sweep", orch.file(trials=24, **sections), "--name", "long", "--address", cluster.address)
    wait_for(lambda: len(orch.records("long")) >= 4, timeout=100)
    short = orch.run("sweep", orch.file(trials=4, **sections), "--name", "short", "--address", cluster.address,
                     timeout=200)  # fmt: skip
    done = orch.end(first, timeout=250)
    assert (short.code, done.code) == (0, 0), short.err + done.err
    assert "2 sweeps share Ray at" in done.err
    assert "1 sweep has Ray at" in done.err
    long_, few = orch.records("long"), orch.records("short")
    assert (len(long_), len(few)) == (24, 4)
    assert max(_ended_ms(few)) < max(_ended_ms(long_))
    # While both ran, each had one of two workers: as many trials ended here as there, give or take those of a change.
    begun_ms, over_ms = min(record.started_ms for record in few), max(_ended_ms(few))
    assert sum(begun_ms < ended < over_ms for ended in _ended_ms(long_)) <= 4 + 3


def _ended_ms(records):
    return [record.ended_ms for record in records]


def test_a_local_cluster_that_does_not_start_is_an_infrastructure_error(monkeypatch):
    def init(**_):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(InfrastructureError, match="cannot reach a local Ray cluster: The current node timed out"):
        reaching.connect(None, Resources())
