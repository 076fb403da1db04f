"""Every sampler of the file drives a sweep of a real trainable to its end, with a pruner beside it."""

import pytest

from orchestrator.study import SweepState
from orchestrator.trial import TrialState
from tests.contracts.test_samplers import FINITE_ONLY, SAMPLERS
from tests.support.quick_configs import QUICK
from tests.support.specs import toy_spec

LR = {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}
SPACE = {
    "t5.optimizer.lr": LR,
    "clip.adapter.hidden": {"type": "int", "low": 8, "high": 32, "step": 8},
    "t5.adapter.heads": {"type": "categorical", "choices": [1, 2]},
}
FINITE = {**SPACE, "t5.optimizer.lr": {"type": "categorical", "choices": [1e-3, 1e-2]}}


def without(config, names):
    """The config without what is searched."""
    nested = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    for name in names:
        *parents, last = name.split(".")
        here = nested
        for parent in parents:
            here[parent] = dict(here.get(parent, {}))
            here = here[parent]
        here.pop(last, None)
    return {key: value for key, value in nested.items() if value != {}}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sweep_of_the_adapter_runs_to_its_end(desk, sampler):
    space = FINITE if sampler in FINITE_ONLY else SPACE
    spec = toy_spec(
        trainable="adapter",
        objective={"metric": "val/retrieval_accuracy", "direction": "maximize"},
        space=space,
        sampler={"type": sampler, **SAMPLERS[sampler]},
        pruner={"type": "asha", "min_epochs": 1, "reduction_factor": 3},
        config=without(QUICK["adapter"], space),
        trials=10,
    )
    halt = desk.run(spec)
    assert (halt.state, halt.reason) == (SweepState.COMPLETE, "all 10 trials have ended")
    records = desk.records()
    assert {record.state for record in records} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert len({repr(sorted(record.params.items())) for record in records}) == 10
