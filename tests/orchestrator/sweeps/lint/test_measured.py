"""What earlier sweeps tell the rules."""

from dataclasses import replace

from orchestrator.sweeps.lint.facts import facts_here
from orchestrator.sweeps.lint.judge import lint
from orchestrator.sweeps.lint.measured import at_pace, facts_before
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.planning.pace import Between, Pace, TrialPace
from tests.support.specs import toy_spec

SLOW = Pace(
    (TrialPace(start_s=10.0, epoch_s=3600.0),),
    Between(0.0, 0.0, 0.0),
    at_once=2,
    source="sweep slow",
    checkpoint_bytes=7,
)


def test_a_new_home_knows_the_machine_alone(house):
    assert facts_before(toy_spec(), house.home) == replace(
        facts_here(toy_spec(), house.home), free_bytes=facts_before(toy_spec(), house.home).free_bytes
    )
    assert not house.home.ledger_file.exists()


def test_a_sweep_tells_its_pace_to_the_next(house):
    house.launch(toy_spec(trials=2))
    facts = facts_before(toy_spec(trials=4), house.home)

    assert facts.epoch_s is not None
    assert facts.concurrency == 1
    assert facts.devices == 1.0
    assert "toy-1" in facts.pace_source


def test_hours_are_judged_at_that_pace(house):
    spec = toy_spec(budget={"trials": 4, "wall_hours": 1.0})
    facts = at_pace(facts_here(spec, house.home), SLOW, spec, concurrency=2)
    made = lint(Question.of(house.checked(spec), facts=facts))

    assert [one.rule for one in made.grave] == ["ORC152"]
    assert "sweep slow: 1 h are enough for about 0" in made.grave[0].fault.what


def test_devices_are_gpus_or_else_cores(house):
    def devices(**resources):
        spec = toy_spec(resources=resources)
        return at_pace(facts_here(spec, house.home), SLOW, spec, concurrency=1).devices

    assert devices(gpu=0.25) == 0.25
    assert devices(gpu=0.0, cpu=3.0) == 3.0
