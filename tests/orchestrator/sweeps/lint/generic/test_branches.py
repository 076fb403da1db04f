"""Rules about what conditions and constraints leave of a space."""

from tests.support.twins import report, rules


def test_a_choice_that_a_constraint_forbids():
    first, *_ = report("constraints=[\"kind != 'b'\"]").advice

    assert (first.rule, first.fault.path) == ("ORC106", "space.kind.choices[1]")
    assert first.fault.what.startswith("'b' is in none of ")
    assert first.fault.hint == "leave out 'b'"


def test_a_parameter_below_a_choice_that_a_constraint_forbids():
    found = {one.fault.path: one.fault.what for one in report("constraints=[\"kind != 'b'\"]").advice}

    assert found["space.layers"].startswith("active in none of ")


def test_a_value_of_a_condition_that_another_condition_excludes():
    nested = "space.temperature={type: float, low: 0.05, high: 0.5, when: {kind: [a, b], layers: [1, 2]}}"
    (one,) = report(nested, "space.layers.when={kind: b}").advice

    assert (one.rule, one.fault.path) == ("ORC106", "space.temperature.when.kind[0]")


def test_a_rare_branch_is_not_dead():
    assert rules("constraints=[\"kind != 'b' or share > 0.9\"]") == []


def test_a_constraint_about_a_conditional_parameter_is_judged_where_it_applies():
    assert rules("constraints=['layers < 5']") == ["ORC107"]
    assert rules("constraints=['layers < 3']") == []


def test_a_constraint_that_leaves_next_to_nothing():
    (one,) = report("constraints=['share < 0.02']").advice

    assert (one.rule, one.fault.path) == ("ORC108", "constraints")
    assert "% of 1000 random configurations satisfy them" in one.fault.what
