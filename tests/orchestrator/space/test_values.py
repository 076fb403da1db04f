"""One parameter's values: equality, membership, enumeration, draws."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.space import (
    Categorical,
    Fixed,
    Float,
    Int,
    corners,
    describe,
    includes,
    num_values,
    random_value,
    same_value,
    show,
    value_at,
)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(1, 1.0, True), (True, 1, False), (False, 0, False), ("1", 1, False), (True, True, True), ("a", "a", True)],
)
def test_equality_knows_the_kind(a, b, same):
    assert same_value(a, b) is same
    assert same_value(b, a) is same


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (Float(type="float", low=0.1, high=0.5), [0.1, 0.3, 0.5], [0.09, 0.51, True, "0.2"]),
        (Float(type="float", low=0.1, high=0.5, step=0.1), [0.1, 0.3, 0.1 + 0.2], [0.15, 0.6]),
        (Int(type="int", low=2, high=8, step=3), [2, 5, 8, 5.0], [3, 9, 5.5, True, "5", -1]),
        (Categorical(type="categorical", choices=(1, "a", True)), [1, 1.0, "a", True], [False, 0, "b"]),
        (Fixed(type="fixed", value=3), [3], [4, True]),
    ],
)
def test_membership(parameter, inside, outside):
    assert all(includes(parameter, value) for value in inside)
    assert not any(includes(parameter, value) for value in outside)


def test_steps_are_decimal():
    parameter = Float(type="float", low=0.1, high=0.55, step=0.1)
    assert num_values(parameter) == 5
    assert [value_at(parameter, index) for index in range(5)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert corners(parameter) == (0.1, 0.5)


def test_a_float_without_a_step_has_no_end():
    parameter = Float(type="float", low=0.0, high=1.0)
    assert num_values(parameter) is None
    assert corners(parameter) == (0.0, 1.0)
    with pytest.raises(ValueError, match="cannot be enumerated"):
        value_at(parameter, 0)


bounds = st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)).filter(lambda t: t[0] < t[1])
positive = st.tuples(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300)).filter(lambda t: t[0] < t[1])
wholes = st.tuples(st.integers(-(2**62), 2**62), st.integers(1, 2**40), st.integers(1, 1000))
parameters = st.one_of(
    bounds.map(lambda t: Float(type="float", low=t[0], high=t[1])),
    positive.map(lambda t: Float(type="float", low=t[0], high=t[1], log=True)),
    st.tuples(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 9)).map(
        lambda t: Float(type="float", low=t[0] / 10, high=(t[0] + t[1] + 9) / 10, step=t[2] / 10)
    ),
    wholes.map(lambda t: Int(type="int", low=t[0], high=t[0] + t[1], step=t[2])),
    st.tuples(st.integers(1, 100), st.integers(1, 10**6)).map(
        lambda t: Int(type="int", low=t[0], high=t[0] + t[1], log=True)
    ),
    st.lists(st.text(max_size=3), min_size=1, unique=True).map(
        lambda c: Categorical(type="categorical", choices=tuple(c))
    ),
)


@settings(deadline=None)
@given(parameters, st.integers(0, 2**32))
def test_draws_and_corners_lie_inside(parameter, seed):
    assert includes(parameter, random_value(parameter, random.Random(seed)))
    assert all(includes(parameter, value) for value in corners(parameter))


def test_draws_reach_both_ends_of_an_int_with_log():
    parameter = Int(type="int", low=1, high=3, log=True)
    rng = random.Random(0)
    assert {random_value(parameter, rng) for _ in range(200)} == {1, 2, 3}


def test_words():
    assert describe(Float(type="float", low=0.1, high=1.0)) == "between 0.1 and 1.0"
    assert describe(Categorical(type="categorical", choices=("a", True))) == "one of 'a', true"
    assert describe(Fixed(type="fixed", value=2)) == "2"
    assert [show(value) for value in (None, False, "x", 1.5, [1], {}, object())] == [
        "null", "false", "'x'", "1.5", "a list", "a mapping", "object",
    ]  # fmt: skip
    assert len(show("x" * 500)) < 70
