"""Trials that share what Ray takes for a GPU: the probe in a worker of its own, and the retry that is alone."""

import psutil
import pytest
from ray.cluster_utils import Cluster

from orchestrator.trial import Mishap, TrialState
from tests.support.commands import wait_for
from tests.support.specs import modes

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(280)]
RESOURCES = {"cpu": 1, "checkpoint_interval_s": 0.0}


@pytest.fixture(scope="module")
def address():
    """A cluster whose one GPU is there in Ray's books alone."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 1, "include_dashboard": False})
    made.wait_for_nodes()
    yield made.address
    made.shutdown()


def test_a_probe_that_finds_no_gpu_packs_nothing_and_is_no_trial(address, orch):
    file = orch.file(trials=2, resources={**RESOURCES, "gpu": "auto"})
    done = orch.run("sweep", file, "--json", "--address", address, timeout=200)
    assert done.code == 0, done.err
    assert "trains one trial on a GPU: the probe failed: torch sees no GPU" in done.err
    assert "2 trials, 1 at a time" in done.err
    assert [(r.number, r.attempt, r.state) for r in orch.records()] == [
        (0, 1, TrialState.COMPLETE),
        (1, 1, TrialState.COMPLETE),
    ]


def test_a_retry_after_an_out_of_memory_is_the_only_process_there(address, orch, tmp_path):
    sections = modes("learn", "no_gpu_memory", epochs=4, epoch_s=1.0, once=str(tmp_path))
    file = orch.file(**sections, resources={**RESOURCES, "gpu": 0.5})
    process = orch.start("sweep", file, "--json", "--address", address)
    wait_for(lambda: any(r.attempt == 2 and r.epochs > 2 for r in orch.records()), timeout=120, what="the retry")
    titles = [" ".join(found.info["cmdline"] or ()) for found in psutil.process_iter(["cmdline"])]
    assert len([title for title in titles if title.startswith("ray::orch-")]) == 1, titles
    done = orch.end(process, timeout=120)
    assert done.code == 0, done.err
    assert {r.state for r in orch.records()} == {TrialState.COMPLETE}
    assert [lost.mishap for r in orch.records() for lost in r.lost_attempts] == [Mishap.OUT_OF_MEMORY]
