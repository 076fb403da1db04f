"""Every stop rule of the spec fires on a toy made for it, and is written down with its threshold."""

from typing import get_args

import pytest

from orchestrator.spec.model import StopRule
from tests.support.specs import modes, toy_spec

MADE_FOR = {
    "plateau": ("flat", {"patience": 2}),
    "target": ("learn", {"value": 0.6}),
    "non_finite": ("side_nan", {}),
    "collapse": ("collapse", {}),
    "below_untrained": ("sink", {"after_epochs": 2}),
    "max_epochs": ("learn", {"epochs": 2}),
}
RULES = [get_args(member.model_fields["type"].annotation)[0] for member in get_args(get_args(StopRule)[0])]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_fires_on_its_toy(desk, rule):
    mode, fields = MADE_FOR[rule]
    desk.run(toy_spec(**modes(mode, epochs=8), stop=[{"type": rule, **fields}]))
    (record,) = desk.records()
    assert record.epochs < 8
    assert record.ending.detail["rule"] == rule
    assert "threshold" in record.ending.detail


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"target", "max_epochs"}))
def test_a_rule_leaves_a_healthy_trial_alone(desk, rule):
    _, fields = MADE_FOR[rule]
    desk.run(toy_spec(**modes("learn", epochs=8), stop=[{"type": rule, **fields}]))
    (record,) = desk.records()
    assert (record.epochs, record.ending.reason) == (8, "finished")
