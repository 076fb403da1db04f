"""Rules about the objective."""

import pytest

from orchestrator.sweeps.lint.rule import Severity
from tests.support.twins import report, rules

WEIGHT = "space.loss_weights.side={type: float, low: 0.2, high: 0.5}"
TOTAL = "objective={metric: val/loss, direction: minimize}"


def test_a_searched_weight_in_the_objective_is_an_error():
    (error,) = report(TOTAL, WEIGHT).of(Severity.ERROR)

    assert error.rule == "ORC131"
    assert "val/loss is a sum with the searched loss_weights.side" in error.fault.what
    assert error.fault.hint == "objective: {metric: val/recall_at_1, direction: maximize}"


def test_weight_decay_is_no_loss_weight():
    assert "ORC131" not in rules(TOTAL)
    assert not report("objective={metric: val/contrastive_loss, direction: minimize}", WEIGHT).is_refused


@pytest.mark.parametrize("metric", ["val/contrastive_loss", "val/loss"])
def test_a_searched_temperature_moves_the_scale_of_a_contrastive_loss(metric):
    found = rules(
        f"objective={{metric: {metric}, direction: minimize}}", "space.temperature={type: float, low: 0.05, high: 0.5}"
    )

    assert found == ["ORC132", "ORC133"]


def test_an_error_means_the_same_at_each_temperature():
    assert rules(
        "objective={metric: val/mse, direction: minimize}", "space.temperature={type: float, low: 0.05, high: 0.5}"
    ) == ["ORC133"]


def test_a_further_objective_is_looked_at():
    (one,) = report("further_objectives=[{metric: val/eer, direction: maximize}]").advice

    assert (one.rule, one.fault.path) == ("ORC135", "further_objectives[0].direction")


def test_the_same_metric_on_val_is_proposed():
    (one,) = report("objective.metric=train/macro_f1").advice

    assert one.fault.hint == "metric: val/macro_f1"


def test_a_reference_is_an_error():
    assert report("objective.metric=val/chance_recall_at_1").is_refused
