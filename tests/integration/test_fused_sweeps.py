"""Whole sweeps whose trials are lanes of one computation: the same answer as trial by trial, in each runner."""

import pytest

from orchestrator.spec.dumping import dump
from tests.support.commands import wait_for
from tests.support.quick_configs import QUICK
from tests.support.specs import TWO_WORKERS, toy_spec

pytestmark = pytest.mark.timeout(600)
SPACE = {
    "clip.optimizer.lr": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "clip.loss.temperature": {"type": "float", "low": 0.05, "high": 1.0, "log": True},
    "batch_size": {"type": "categorical", "choices": [4, 8]},
}


def sweep_file(orch, fuse, **sections):
    spec = toy_spec(
        name="toy",
        trainable="adapter",
        objective={"metric": "val/r2", "direction": "maximize"},
        space=SPACE,
        config={**{k: v for k, v in QUICK["adapter"].items() if k != "batch_size"}, "epochs": 4},
        pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 2},
        trials=9,
        execution={"fuse": fuse},
        **sections,
    )
    file = orch.folder / f"{fuse}.yaml"
    file.write_text(dump(spec))
    return file


def curves(orch, name):
    return {
        tuple(sorted(trial.params.items())): [m.metrics["val/r2"] for m in trial.measurements]
        for trial in orch.records(name)
    }


def run(orch, fuse, *options, **sections):
    done = orch.run(
        "sweep", sweep_file(orch, fuse, **sections), "--quiet", "--name", f"with-{fuse}", *options, timeout=400
    )
    assert done.code == 0, done.err
    assert orch.run("verify", f"with-{fuse}").code == 0
    return curves(orch, f"with-{fuse}")


@pytest.mark.slow
def test_fused_and_alone_give_the_same_curves(orch):
    """As far as both go: lanes are compared step by step, trials one after another."""
    alone, fused = run(orch, "off", "--runner", "local"), run(orch, 4, "--runner", "local")
    assert alone.keys() == fused.keys()
    for params, curve in alone.items():
        shared = min(len(curve), len(fused[params]))
        assert shared
        assert fused[params][:shared] == pytest.approx(curve[:shared], rel=1e-3, abs=1e-4)


@pytest.mark.slow
@pytest.mark.ray
def test_on_ray_too(orch):
    on_ray, here = run(orch, 3, resources=TWO_WORKERS), run(orch, 2, "--runner", "local")
    assert on_ray.keys() == here.keys()


@pytest.mark.slow
def test_a_fused_sweep_that_was_killed_goes_on(orch):
    process = orch.start("sweep", sweep_file(orch, 4), "--quiet", "--runner", "local")
    wait_for(lambda: orch.num_measured() > 12, what="measurements", timeout=300)
    process.kill()
    orch.end(process)
    done = orch.run("resume", "toy-1", "--quiet", "--runner", "local", timeout=400)
    assert done.code == 0, done.err
    assert len(orch.records()) == 9
    assert orch.run("verify", "toy-1").code == 0
