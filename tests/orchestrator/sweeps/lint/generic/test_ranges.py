"""Rules about one parameter's domain: what they say, where, and where they stay silent."""

import pytest

from tests.support.twins import GOOD, report, rules


def test_a_wide_linear_range_is_told_with_its_share_and_its_line():
    (one,) = report(text=GOOD.replace("low: 1e-4, high: 1e-2, log: true", "low: 1e-5, high: 1e-2")).advice

    assert str(one) == (
        "twins.yaml:5:3 ORC101 warning: space.lr: 1e-05 to 0.01 is a factor of 1e+03 on a linear scale: "
        "only 0.9 % of the draws fall into the lowest decade"
    )
    assert one.fault.hint == "log: true"


@pytest.mark.parametrize(
    "override",
    [
        "space.lr={type: float, low: 1e-4, high: 1e-2}",  # two decades, not over
        "space.share={type: float, low: 0.0, high: 0.9}",  # no factor from 0
        "space.layers.high=100",
        "space.lr={type: float, low: 1e-5, high: 1e-2, log: true}",
    ],
)
def test_ranges_that_are_fine(override):
    assert rules(override) == []


def test_a_step_excludes_a_logarithm():
    (one,) = report("space.layers={type: int, low: 2, high: 802, step: 2}").advice

    assert (one.rule, one.fault.hint) == ("ORC101", "log: true, without step")


@pytest.mark.parametrize("choices", ['[1, "1"]', '[true, "True"]', "[0.3, 0.30000000001]", '["a", "A "]', "[1, true]"])
def test_choices_that_read_the_same(choices):
    (one,) = report(
        "space.kind={type: fixed, value: b}", f"space.layers={{type: categorical, choices: {choices}}}"
    ).advice

    assert one.rule == "ORC103"
    assert one.fault.path == "space.layers.choices[1]"


@pytest.mark.parametrize("choices", ["[1, 2]", '["no", "off"]', "[0, false]", "[0.3, 0.31]"])
def test_choices_that_differ(choices):
    found = rules("space.kind={type: fixed, value: b}", f"space.layers={{type: categorical, choices: {choices}}}")

    assert found == (["ORC103"] if choices == "[0, false]" else [])


def test_everything_that_a_field_takes_is_told_unless_it_is_a_share():
    (one,) = report("space.temperature={type: float, low: 0.001, high: 99.99, log: true}").advice

    assert one.rule == "ORC104"
    assert "0.001 to 99.99 is everything that the field accepts" in one.fault.what
    assert rules("space.share={type: float, low: 0, high: 1}") == []
    assert rules("space.temperature={type: float, low: 0.01, high: 100, log: true}") == []
