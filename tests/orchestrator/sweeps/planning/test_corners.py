"""Which configurations should cost least and most."""

import pytest

from orchestrator.space import SearchSpace
from orchestrator.sweeps.planning.corners import cost_corners
from tests.support.specs import toy_spec

X = {"type": "float", "low": 0.0, "high": 1.0}


def corners(space, *, constraints=(), is_valid=lambda params: True):
    spec = toy_spec(space=space)
    return cost_corners(SearchSpace(spec.space, constraints), is_valid=is_valid)


@pytest.mark.parametrize(
    "space",
    [
        {"x": X},
        {"kind": {"type": "categorical", "choices": ["a", "b"]}},
        {"epochs": {"type": "int", "low": 1, "high": 9}},
        {"width": {"type": "fixed", "value": 3}},
    ],
)
def test_nothing_that_sizes_has_no_corners(space):
    assert corners(space) == []


def test_whole_numbers_and_sizes_go_to_their_ends():
    space = {
        "x": X,
        "depth": {"type": "int", "low": 1, "high": 4},
        "batch_size": {"type": "categorical", "choices": [64, 16, 256]},
    }
    low, high = corners(space)
    assert (low["depth"], low["batch_size"]) == (1, 16)
    assert (high["depth"], high["batch_size"]) == (4, 256)
    assert low["x"] == high["x"]


def test_conditions_and_constraints_hold():
    space = {
        "x": X,
        "depth": {"type": "int", "low": 1, "high": 4},
        "width": {"type": "int", "low": 1, "high": 4, "when": {"depth": 4}},
    }
    low, high = corners(space, constraints=["x > 0.2"])
    assert "width" not in low
    assert high["width"] == 4
    assert min(low["x"], high["x"]) > 0.2


def test_what_the_config_refuses_is_left_out():
    space = {"depth": {"type": "int", "low": 1, "high": 4}}
    assert corners(space, is_valid=lambda params: params["depth"] < 4) == [{"depth": 1}]
