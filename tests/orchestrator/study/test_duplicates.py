"""When two configurations are the same one."""

import pytest

from orchestrator.space import Categorical, Fixed, Float, Int, SearchSpace
from orchestrator.study.duplicates import TOLERANCE, Tried, num_combinations

SPACE = SearchSpace(
    {
        "x": Float(type="float", low=-10.0, high=10.0),
        "lr": Float(type="float", low=1e-5, high=1e-1, log=True),
        "drop": Float(type="float", low=0.0, high=0.5, step=0.1),
        "depth": Int(type="int", low=1, high=9),
        "flag": Categorical(type="categorical", choices=(True, 1, "1")),
        "end": Float(type="float", low=0.0, high=1.0, when={"depth": 3}),
    }
)
POINT = {"x": 1.0, "lr": 1e-3, "drop": 0.3, "depth": 3, "flag": True, "end": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"x": 1.0 + 0.9 * TOLERANCE * 20},
        {"lr": 1e-3 * 10 ** (0.9 * TOLERANCE * 4)},
        {"drop": 0.30000000000000004},
        {"depth": 3.0},
    ],
)
def test_within_the_tolerance_it_is_the_same(change):
    assert {**POINT, **change} in Tried(SPACE, [{**POINT, "x": -5.0}, POINT])


@pytest.mark.parametrize(
    "change",
    [
        {"x": 1.0 + 1.1 * TOLERANCE * 20},
        {"lr": 1e-3 * 10 ** (1.1 * TOLERANCE * 4)},
        {"drop": 0.4},
        {"depth": 4},
        {"flag": 1},
        {"flag": "1"},
    ],
)
def test_beyond_it_it_is_another_one(change):
    assert {**POINT, **change} not in Tried(SPACE, [POINT])


def test_another_set_of_active_parameters_is_another_one():
    without = {name: value for name, value in POINT.items() if name != "end"}
    assert without not in Tried(SPACE, [POINT])
    assert Tried(SPACE, [POINT, without, POINT]).num_cells() == 2


def test_a_space_is_counted_where_it_can_be():
    finite = {"a": Int(type="int", low=1, high=3), "b": Fixed(type="fixed", value=1)}
    assert num_combinations(SearchSpace(finite)) == 3
    assert num_combinations(SPACE) is None
