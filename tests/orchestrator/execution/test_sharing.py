"""Dividing a cluster: equal parts, what one cannot use goes to others, all drivers agree, nobody has nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.execution.runner import Capacity, needed
from orchestrator.execution.sharing import LOOK_S, Share, Sharers, fair_fractions, workers_of
from orchestrator.spec.model import Resources


def resources(**fields):
    return Resources.model_validate({"cpu": 1, "gpu": 0.0, **fields})


def divide(nodes, *sweeps):
    """What each of the sweeps says that it has."""
    asked = {f"{n:02d}": sweep for n, sweep in enumerate(sweeps)}
    found = []
    for key, sweep in asked.items():
        gpus = sum(node.get("GPU", 0) for node in nodes)
        need = needed(sweep, gpus=gpus)
        fit = sum(need.times_on(node) for node in nodes)
        most = min(fit, sweep.max_concurrent or fit)
        capacity = Capacity("here", cpus=0, gpus=gpus, max_concurrent=most, gpu=need.gpu, fit=fit)
        found.append(workers_of(Sharers(key, asked, nodes), capacity))
    return found


@pytest.mark.parametrize(
    ("cpus", "sweeps", "workers"),
    [
        (16, [resources()], [16]),
        (16, [resources(max_concurrent=3)], [3]),
        (16, [resources(), resources()], [8, 8]),
        (16, [resources(), resources(), resources()], [6, 5, 5]),
        (16, [resources(), resources(max_concurrent=2)], [14, 2]),
        (16, [resources(max_concurrent=9), resources(max_concurrent=9)], [8, 8]),
        (16, [resources(), resources(cpu=4)], [8, 2]),
        (2, [resources(), resources(), resources()], [1, 1, 1]),
    ],
)
def test_equal_parts_of_what_each_can_use(cpus, sweeps, workers):
    assert divide(({"CPU": cpus},), *sweeps) == workers


def test_gpus_are_shared_and_a_sweep_that_needs_none_leaves_them():
    node = {"CPU": 64.0, "GPU": 8.0}
    assert divide((node,), resources(gpu="auto"), resources(gpu=1.0)) == [4, 4]
    assert divide((node, node), resources(gpu=0.5), resources(gpu=1.0, max_concurrent=2)) == [28, 2]


def test_a_sweep_that_fits_nowhere_takes_nothing():
    assert divide(({"CPU": 4.0},), resources(), resources(max_concurrent=2)) == [2, 2]
    asked = {"a": resources(), "b": resources(cpu=64)}
    capacity = Capacity("here", cpus=4, gpus=0, max_concurrent=4, gpu=0, fit=4)
    assert workers_of(Sharers("a", asked, ({"CPU": 4.0},)), capacity) == 4


@given(st.dictionaries(st.text(max_size=3), st.floats(1e-3, 1.0), min_size=1, max_size=12))
def test_fractions_are_max_min_fair(wants):
    given_ = fair_fractions(wants)
    assert sum(given_.values()) <= 1 + 1e-9
    assert sum(given_.values()) == pytest.approx(min(1.0, sum(wants.values())))
    for key, want in wants.items():
        assert given_[key] <= want
        if given_[key] < want - 1e-9:
            assert given_[key] >= max(given_.values()) - 1e-9


@given(st.lists(st.one_of(st.none(), st.integers(1, 20)), min_size=1, max_size=20), st.integers(1, 40))
def test_all_of_a_cluster_is_used_and_no_more_unless_there_are_too_many(most, cpus):
    found = divide(({"CPU": cpus},), *(resources(max_concurrent=m) for m in most))
    wanted = [min(m or cpus, cpus) for m in most]
    assert all(0 < f <= w for f, w in zip(found, wanted, strict=True))
    if len(most) <= cpus:
        assert sum(found) == min(cpus, sum(wanted))


def test_it_is_looked_at_now_and_then_and_changes_are_said():
    now, said, looks = [0.0], [], []
    asked = {"00": resources()}

    def look():
        looks.append(now[0])
        return Sharers("00", asked, ({"CPU": 4.0},)) if asked else None

    capacity = Capacity("Ray at x", cpus=4, gpus=0, max_concurrent=4, gpu=0, fit=4)
    share = Share(capacity, look, monotonic_s=lambda: now[0], say=said.append)
    assert [share.workers(), share.workers()] == [4, 4]
    asked["01"] = resources()
    assert share.workers() == 4
    now[0] = LOOK_S
    assert [share.workers(), share.workers()] == [2, 2]
    asked.clear()
    now[0] = 2 * LOOK_S
    assert share.workers() == 2  # nobody could be asked
    asked["00"] = resources()
    now[0] = 3 * LOOK_S
    assert share.workers() == 4
    assert looks == [0.0, LOOK_S, 2 * LOOK_S, 3 * LOOK_S]
    assert said == ["2 sweeps share Ray at x: 2 at a time here", "1 sweep has Ray at x: 4 at a time here"]
