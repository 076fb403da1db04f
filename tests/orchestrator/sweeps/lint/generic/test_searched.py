"""Which searched keys are weights and scales: by role in shipped trainables, by name in a person's own."""

from orchestrator.sweeps.lint.generic.searched import searched_scales, searched_weights
from tests.support.questions import shipped
from tests.support.twins import twin


def test_roles_of_shipped_trainables():
    question = shipped("multitask")

    assert searched_weights(question) == [
        "loss_weights.contrastive",
        "loss_weights.captioning",
        "loss_weights.masked_modeling",
    ]
    assert {"temperature.start", "hard_negative_ratio"} <= set(searched_scales(question))
    assert "optimizer.weight_decay" not in searched_weights(question)


def test_names_of_an_own_config():
    question = twin(
        "space.temperature={type: float, low: 0.05, high: 0.5}", "space.loss_weights.a={type: float, low: 0, high: 1}"
    )

    assert searched_weights(question) == ["loss_weights.a"]
    assert searched_scales(question) == ["temperature"]


def test_one_value_is_not_searched():
    assert searched_scales(twin("space.temperature={type: fixed, value: 0.1}")) == []
