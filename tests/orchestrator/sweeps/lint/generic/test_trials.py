"""Rules about the number of trials."""

from dataclasses import replace

import pytest

from tests.support.twins import FACTS, report, rules

NO_CONFIRM = "confirm=null"
GRID = "space={kind: {type: categorical, choices: [a, b, c]}, layers: {type: int, low: 1, high: 2, when: {kind: a}}}"


def test_dimensions_are_those_that_are_active_together():
    # lr, share, kind and layers: eight trials are enough; without layers six.
    gp = "sampler={type: gp, startup_trials: 5}"
    assert rules("budget.trials=8", gp, NO_CONFIRM) == []
    (one,) = report("budget.trials=7", gp, NO_CONFIRM).advice
    assert one.fault.what == "7 trials for 4 searched parameters; gp needs 8 or more"
    assert rules("budget.trials=6", gp, NO_CONFIRM, "space.kind.choices=[a]", "space.layers.when={kind: a}") == [
        "ORC105"
    ]


def test_a_random_search_needs_no_model():
    assert rules("budget.trials=3", "sampler={type: random}", NO_CONFIRM) == []


def test_a_finite_space_is_counted_with_its_conditions():
    (one,) = report(GRID, "budget.trials=9", NO_CONFIRM, "sampler={type: random}").advice

    assert one.fault.what == "9 trials, but the space has only 4 different configurations"


def test_constraints_make_a_space_smaller():
    found = report(GRID, "constraints=['layers < 2']", "budget.trials=9", NO_CONFIRM, "sampler={type: random}").advice

    assert any("only 3 different configurations" in one.fault.what for one in found)


@pytest.mark.parametrize("sampler", ["grid", "brute_force"])
def test_a_grid_that_the_budget_cuts(sampler):
    (one,) = report(GRID, "budget.trials=3", NO_CONFIRM, f"sampler={{type: {sampler}}}").advice

    assert (one.rule, one.fault.what) == ("ORC113", "3 trials of a grid of 4: 1 of them never tried")
    assert rules(GRID, "budget.trials=4", NO_CONFIRM, f"sampler={{type: {sampler}}}") == []


def test_a_space_too_large_to_count_is_not_compared():
    assert rules("space={layers: {type: int, low: 1, high: 100000, log: true}}", "sampler={type: random}") == []


def test_startup_that_is_the_default_is_told_at_the_budget():
    (one,) = report("sampler={type: tpe}", "budget.trials=9", NO_CONFIRM).advice

    assert (one.rule, one.fault.path) == ("ORC114", "budget.trials")
    (one,) = report("sampler={type: tpe, startup_trials: 9}", "budget.trials=9", NO_CONFIRM).advice
    assert one.fault.path == "sampler.startup_trials"


def test_concurrency_is_the_machine_s_or_the_file_s():
    wide = replace(FACTS, concurrency=32)
    unknown = replace(FACTS, concurrency=None)
    assert rules(facts=wide) == ["ORC115"]
    assert rules(facts=unknown) == []
    assert rules("resources.max_concurrent=32", facts=unknown) == ["ORC115"]


def test_a_few_trials_at_a_time_are_no_matter():
    assert "ORC115" not in rules("budget.trials=20", facts=replace(FACTS, concurrency=6))


def test_a_sampler_for_numbers_beside_choices():
    (one,) = report("sampler={type: cmaes}").advice

    assert one.fault.what == "cmaes draws 2 of 4 parameters at random: kind, layers"
    assert rules("sampler={type: cmaes}", "space={lr: {type: float, low: 1e-4, high: 1e-2, log: true}}") == []
    assert rules("sampler={type: gp}") == []
