"""`SearchSpace`: conditions, constraints, the define-by-run walk and the grid."""

import itertools
import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.space import (
    Categorical,
    Fixed,
    Float,
    Int,
    SearchSpace,
    corners,
    includes,
    num_values,
    random_value,
)

KIND = Categorical(type="categorical", choices=("constant", "linear"))


def nested_space():
    return SearchSpace(
        {
            "margin.end": Float(type="float", low=0.2, high=0.6, when={"margin.kind": "linear"}),
            "margin.rate": Int(type="int", low=1, high=2, when={"margin.steps": (2, 3)}),
            "margin.kind": KIND,
            "margin.steps": Int(type="int", low=1, high=3, when={"margin.kind": "linear"}),
            "flag": Fixed(type="fixed", value=True, when={"source": "real"}),
        },
        fixed={"source": "real"},
    )


def test_names_put_parents_first_and_keep_the_order_otherwise():
    assert nested_space().names == ("margin.kind", "margin.end", "margin.steps", "margin.rate", "flag")


def test_a_child_of_an_inactive_parent_is_inactive():
    space = nested_space()
    assert not space.is_active("margin.rate", {"margin.kind": "constant", "margin.steps": 2})
    assert space.is_active("margin.rate", {"margin.kind": "linear", "margin.steps": 2})
    assert not space.is_active("margin.rate", {"margin.kind": "linear", "margin.steps": 1})
    assert not space.is_active("margin.rate", {"margin.kind": "linear"})


def test_conditions_tell_true_from_one():
    space = SearchSpace(
        {
            "x": Categorical(type="categorical", choices=(1, True)),
            "y": Fixed(type="fixed", value="y", when={"x": True}),
        }
    )
    assert space.is_active("y", {"x": True})
    assert not space.is_active("y", {"x": 1})


def test_sample_draws_once_for_each_active_parameter_but_the_fixed():
    asked = []

    def draw(name, parameter):
        asked.append(name)
        return corners(parameter)[0]

    assert nested_space().sample(draw) == {"margin.kind": "constant", "flag": True}
    assert asked == ["margin.kind"]


def test_contains():
    space = nested_space()
    assert space.contains({"margin.kind": "constant", "flag": True})
    assert not space.contains({"margin.kind": "constant"})
    assert not space.contains({"margin.kind": "constant", "flag": True, "margin.end": 0.3})
    assert not space.contains({"margin.kind": "constant", "flag": True, "other": 1})
    assert not space.contains({"margin.kind": "quadratic", "flag": True})


def test_constraints_use_fixed_values_and_skip_inactive_names():
    space = SearchSpace(
        {"a": Int(type="int", low=1, high=9), "b": Int(type="int", low=1, high=9, when={"a": 1})},
        ["a < limit", "b > a"],
        {"limit": 5},
    )
    assert space.is_feasible({"a": 2})
    assert not space.is_feasible({"a": 5})
    assert space.is_feasible({"a": 1, "b": 2})
    assert not space.is_feasible({"a": 1, "b": 1})


def test_grid_lists_each_feasible_assignment_once():
    space = SearchSpace(
        {
            "kind": KIND,
            "end": Float(type="float", low=0.1, high=0.3, step=0.1, when={"kind": "linear"}),
            "n": Int(type="int", low=1, high=2),
        },
        ["end * 10 > n"],
    )
    found = list(space.grid())
    assert found == [
        {"kind": "constant", "n": 1},
        {"kind": "constant", "n": 2},
        {"kind": "linear", "end": 0.2, "n": 1},
        {"kind": "linear", "end": 0.3, "n": 1},
        {"kind": "linear", "end": 0.3, "n": 2},
    ]


def test_grid_names_every_parameter_that_has_no_end():
    endless = Float(type="float", low=0.0, high=1.0)
    with pytest.raises(UsageError, match=r"a, c"):
        SearchSpace({"a": endless, "b": KIND, "c": endless}).grid()


@pytest.mark.parametrize(
    ("parameters", "constraints", "words"),
    [
        ({"a": Fixed(type="fixed", value=1, when={"b": 1})}, (), "unknown names.*b"),
        ({"a": KIND}, ("z > 1",), "unknown names.*z"),
        ({"a": KIND}, ("a >",), "column 3"),
        (
            {
                "a": Int(type="int", low=0, high=1, when={"b": 1}),
                "b": Int(type="int", low=0, high=1, when={"a": 1}),
            },
            (),
            "a -> b -> a",
        ),
    ],
)
def test_impossible_spaces_are_refused(parameters, constraints, words):
    with pytest.raises(UsageError, match=words):
        SearchSpace(parameters, constraints)


def test_a_space_can_be_pickled_and_compared():
    assert pickle.loads(pickle.dumps(nested_space())) == nested_space()


@st.composite
def spaces(draw):
    """Spaces with conditions on earlier parameters and constraints between numbers."""
    parameters = {}
    for index in range(draw(st.integers(1, 6))):
        when = {}
        parents = [name for name, one in parameters.items() if not isinstance(one, Float)]
        if parents and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            when = {parent: draw(st.sampled_from(corners(parameters[parent])))}
        low, width = draw(st.integers(-5, 5)), draw(st.integers(1, 5))
        kind = draw(st.sampled_from(["float", "step", "int", "categorical", "fixed"]))
        parameters[f"p.x{index}"] = {
            "float": Float(type="float", low=low, high=low + width, when=when),
            "step": Float(type="float", low=low, high=low + width, step=0.5, when=when),
            "int": Int(type="int", low=low, high=low + width, when=when),
            "categorical": Categorical(type="categorical", choices=("a", low, True), when=when),
            "fixed": Fixed(type="fixed", value=low, when=when),
        }[kind]
    return parameters


@settings(deadline=None)
@given(spaces(), st.integers(0, 1000))
def test_every_sample_is_contained_and_no_part_of_it_is(parameters, seed):
    space = SearchSpace(parameters)
    rng = random.Random(seed)
    values = space.sample(lambda _, parameter: random_value(parameter, rng))
    assert space.contains(values)
    assert space.is_feasible(values)
    for name in values:
        assert includes(parameters[name], values[name])
        assert not space.contains({key: value for key, value in values.items() if key != name})


@settings(deadline=None)
@given(spaces())
def test_the_grid_is_distinct_and_feasible(parameters):
    small = {name: one for name, one in parameters.items() if num_values(one) is not None and not one.when}
    whole = [name for name, one in small.items() if isinstance(one, Int)]
    constraints = [f"{a} <= {b}" for a, b in itertools.pairwise(whole)]
    space = SearchSpace(small, constraints)
    found = list(itertools.islice(space.grid(), 300))
    assert all(space.contains(values) and space.is_feasible(values) for values in found)
    assert len({tuple((k, type(v), v) for k, v in values.items()) for values in found}) == len(found)
