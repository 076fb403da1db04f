"""How many trials share a GPU: what the probe finds decides, and is said. The GPU is a fake."""

from pathlib import Path

import pytest

from orchestrator.execution import packing
from orchestrator.execution.packing import MOST, Probed, describe, most_on_a_gpu, share, trials_on_a_gpu
from orchestrator.execution.runner import Capacity, Need
from tests.support.specs import toy_spec

GIB = 2**30


def capacity(cpus, gpus):
    return Capacity("here", cpus=cpus, gpus=gpus, max_concurrent=1, gpu=min(1.0, gpus), fit=1)


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus", "most"),
    [
        ({"gpu": "auto"}, 64, 1, MOST),
        ({"gpu": "auto"}, 4, 1, 4),
        ({"gpu": "auto", "cpu": 2}, 8, 2, 2),
        ({"gpu": "auto", "max_concurrent": 3}, 64, 2, 2),
        ({"gpu": "auto"}, 64, 0, 1),
        ({"gpu": 0.5}, 64, 1, 1),
        ({"gpu": 1.0}, 64, 1, 1),
    ],
)
def test_cpus_and_the_file_say_whether_there_is_anything_to_find_out(resources, cpus, gpus, most):
    assert most_on_a_gpu(toy_spec(trials=100, resources=resources), capacity(cpus, gpus)) == most


def test_few_trials_and_lanes_need_no_packing():
    resources = {"gpu": "auto"}
    assert most_on_a_gpu(toy_spec(trials=2, resources=resources), capacity(64, 1)) == 2
    fused = toy_spec(trials=100, resources=resources, execution={"fuse": "auto"})
    assert most_on_a_gpu(fused, capacity(64, 1)) == 1


@pytest.mark.parametrize(
    ("probed", "num"),
    [
        (Probed(GIB, 80 * GIB), 8),
        (Probed(6 * GIB, 24 * GIB), 3),
        (Probed(20 * GIB, 24 * GIB), 1),
        (Probed(GIB, 80 * GIB, busy_fraction=0.3), 3),
        (Probed(GIB, 80 * GIB, busy_fraction=0.9), 1),
        (Probed(GIB, 80 * GIB, busy_fraction=0.0), 8),
        (Probed(0, 80 * GIB, failure="boom"), 1),
    ],
)
def test_memory_and_time_decide(probed, num):
    assert trials_on_a_gpu(probed, most=8) == num


@pytest.mark.parametrize("num", range(1, MOST + 1))
def test_as_many_shares_fit_as_were_meant_to(num):
    assert share(num) * num <= 1
    assert Need(1, share(num)).times_on({"CPU": 64, "GPU": 1.0}) == num


def test_what_was_found_is_said():
    assert describe(Probed(3 * GIB, 80 * GIB, 0.221), 4) == (
        "packs 4 trials on a GPU: one took 3 of its 80 GiB, it was busy 22% of the time"
    )
    assert describe(Probed(60 * GIB, 80 * GIB), 1) == (
        "trains one trial on a GPU: one took 60 of its 80 GiB, how busy it was is not known"
    )
    assert describe(Probed(failure="boom"), 1) == "trains one trial on a GPU: the probe failed: boom"


def test_a_probe_is_sent_what_the_first_trial_would_be():
    spec = toy_spec(repeats=2, config={"epochs": 3})
    assignment = packing.first_assignment(spec, {"epochs": 3}, Path("here"))
    assert (assignment.seeds, assignment.gpu_fraction, assignment.directory) == ((0, 1), 1.0, Path("here"))
    assert assignment.config.keys() == {"x", "epochs"}
