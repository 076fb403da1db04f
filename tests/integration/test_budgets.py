"""Budgets on a real Ray with two workers: hard, with the right exit code, and the command that goes on."""

import pytest

from orchestrator.analysis.costs import total_effort
from tests.support.specs import TWO_WORKERS

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # MLflow's own, when the store is read here
]


def test_a_budget_of_epochs_ends_the_sweep_and_a_larger_one_completes_it(orch):
    file = orch.file(budget={"trials": 6, "epochs": 9}, resources=TWO_WORKERS, config={"epochs": 4, "epoch_s": 0.1})
    done = orch.run("sweep", file, "--json")
    assert done.code == 4, done.err
    assert "orch resume toy-1 --set budget.epochs=18" in done.err
    assert 9 <= total_effort(orch.records()).epochs < 9 + 2
    assert done.json["costs"]["total"]["epochs"] == total_effort(orch.records()).epochs

    done = orch.run("resume", "toy-1", "--set", "budget.epochs=100", "--json")
    assert done.code == 0, done.err
    assert [record.epochs for record in orch.records()] == [4] * 6


def test_a_budget_of_gpu_hours_counts_cores_where_there_is_no_gpu(orch):
    budget_s, epoch_s = 2.0, 0.2
    file = orch.file(
        budget={"trials": 9, "gpu_hours": budget_s / 3600},
        resources=TWO_WORKERS,
        config={"epochs": 4, "epoch_s": epoch_s},
    )
    done = orch.run("sweep", file, "--json")
    assert done.code == 4, done.err
    longest_s = max(m.train_s for record in orch.records() for m in record.measurements)
    assert budget_s <= total_effort(orch.records()).device_s <= budget_s + 2 * longest_s
    assert done.json["costs"]["unit"] == "core-hours"
