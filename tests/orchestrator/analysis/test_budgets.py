"""Which budget is used up."""

import pytest

from orchestrator.analysis.budgets import UNITS, Limit, limits, used, used_up
from orchestrator.spec.model import Budget
from orchestrator.trial import Effort


def test_a_file_without_budgets_has_no_limits():
    assert limits(Budget(trials=3)) == {}
    assert used_up(Budget(trials=3), Effort(1e9, 1e9, 10**9), wall_s=1e9) == {}


@pytest.mark.parametrize("limit", Limit)
def test_each_limit_is_a_field_of_the_file_and_is_reached_exactly(limit):
    budget = Budget.model_validate({"trials": 3, limit.value: 2})
    exact = {"effort": Effort(0.0, 7200.0, 2), "wall_s": 7200.0}
    assert used_up(budget, exact["effort"], wall_s=exact["wall_s"]) == {limit: 2.0}
    assert used_up(budget, Effort(9.0, 7199.0, 1), wall_s=7199.0) == {}
    assert UNITS[limit]


def test_gpu_hours_are_device_seconds():
    assert used(Effort(train_s=1.0, device_s=1800.0, epochs=3), wall_s=360.0) == {
        Limit.WALL_HOURS: 0.1,
        Limit.GPU_HOURS: 0.5,
        Limit.EPOCHS: 3.0,
    }
