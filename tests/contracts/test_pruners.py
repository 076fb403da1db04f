"""What every pruner owes: a plainly worse trial is ended early with its reason, the best one never."""

import pytest

from orchestrator.trial import Cause, Ending, Measurement, TrialState
from tests.support.specs import toy_spec

PRUNERS = [
    {"type": "asha", "min_epochs": 1, "reduction_factor": 2},
    {"type": "hyperband", "min_epochs": 1, "reduction_factor": 2},
    {"type": "median", "startup_trials": 2, "min_epochs": 1},
    {"type": "none"},
]


def run(ledger, value, epochs=4):
    number = ledger.ask().number
    for step in range(epochs + 1):
        ending = ledger.report(number, Measurement(step, {"val/score": value * step}, 0.1, step), last=step == epochs)
        if ending is not None:
            return ledger.tell(number, ending)
    return ledger.tell(number, Ending(Cause.FINISHED, "finished"))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("pruner", PRUNERS, ids=lambda pruner: pruner["type"])
def test_a_worse_trial_is_ended_and_a_better_one_is_not(desk, pruner, direction):
    better = 1 if direction == "maximize" else -1
    objective = {"metric": "val/score", "direction": direction}
    ledger = desk.create(toy_spec(trials=40, pruner=pruner, objective=objective), fixed={"epochs": 4})
    good = [run(ledger, better * (1 + n / 10)) for n in range(8)]
    assert [r.state for r in good] == [TrialState.COMPLETE] * 8, "each was the best so far"
    bad = [run(ledger, better * 0.01) for _ in range(8)]
    assert all(r.state is TrialState.COMPLETE for r in bad) == (pruner["type"] == "none")
    for record in bad:
        if record.state is TrialState.PRUNED:
            assert record.ending.detail["pruner"] == pruner["type"]
            assert {"step", "rung", "value", "cutoff", "rank", "num_compared"} <= set(record.ending.detail)
            assert record.epochs < 4
