"""Dotted and nested keys are the same thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.spec.dotted import flatten, nest, plain_values

trees = st.recursive(
    st.one_of(st.integers(), st.none(), st.lists(st.integers(), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), trees, max_size=3))
def test_flatten_and_nest_are_inverse(tree):
    assert nest(flatten(tree)) == tree
    assert nest(tree) == tree


def test_dotted_keys_merge_at_every_level():
    assert nest({"a.b": 1, "a": {"c.d": 2}, "a.c.e": 3}) == {"a": {"b": 1, "c": {"d": 2, "e": 3}}}


@pytest.mark.parametrize("values", [{"a": 1, "a.b": 2}, {"a.b": 1, "a": {"b": 1}}, {"a.b": 2, "a": 1}])
def test_a_key_set_twice_is_refused(values):
    with pytest.raises(ValueError, match="set twice"):
        nest(values)


def test_nest_leaves_its_input_alone():
    values = {"a": {"b": 1}, "a.c": 2}
    nest(values)
    assert values == {"a": {"b": 1}, "a.c": 2}


def test_plain_values_are_what_a_constraint_can_name():
    assert plain_values({"a": {"b": 1, "c": [1], "d": None}, "e": "x", "f": {}}) == {"a.b": 1, "e": "x"}
