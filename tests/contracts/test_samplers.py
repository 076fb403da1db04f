"""What every sampler owes, with every pruner: a whole small sweep whose trials all end, inside the space."""

from typing import get_args

import pytest

from orchestrator.spec.model import Pruner, Sampler
from orchestrator.study import SweepState
from orchestrator.trial import TrialState
from tests.support.specs import toy_spec

SPACE = {
    "kind": {"type": "categorical", "choices": ["a", "b"]},
    "x": {"type": "float", "low": -1.0, "high": 1.0, "step": 0.5},
    "z": {"type": "int", "low": 0, "high": 4, "when": {"kind": "b"}},
}


def types(union):
    """The `type:` of each member of one of the spec's unions."""
    return [get_args(member.model_fields["type"].annotation)[0] for member in get_args(get_args(union)[0])]


@pytest.mark.parametrize("pruner", types(Pruner))
@pytest.mark.parametrize("sampler", types(Sampler))
def test_every_pair_runs_a_sweep_to_its_end(desk, sampler, pruner):
    spec = toy_spec(
        trials=6,
        space=SPACE,
        constraints=["x < 1"],
        sampler={"type": sampler, **({"startup_trials": 2} if sampler == "tpe" else {})},
        pruner={"type": pruner, **({"startup_trials": 1} if pruner == "median" else {})},
        config={"epochs": 3},
    )
    halt = desk.run(spec)
    assert halt.state is SweepState.COMPLETE
    ledger = desk.reopen()
    records = ledger.records()
    assert len(records) == 6
    assert {r.state for r in records} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert TrialState.COMPLETE in {r.state for r in records}
    assert all(ledger.space.contains(r.params) and ledger.space.is_feasible(r.params) for r in records)
    assert pruner != "none" or all(r.state is TrialState.COMPLETE for r in records)
