"""The first configurations, without a ledger."""

from orchestrator.study.preview import first_configurations
from tests.support.specs import toy_spec


def test_they_are_those_that_the_sweep_will_try(desk):
    spec = toy_spec(trials=9, sampler={"type": "qmc"})
    shown = first_configurations(spec, {}, count=3)
    ledger = desk.create(spec)
    assert shown == [ledger.ask().params for _ in range(3)]


def test_a_small_budget_has_fewer():
    assert len(first_configurations(toy_spec(trials=2), {}, count=3)) == 2
