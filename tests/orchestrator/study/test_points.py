"""Points that hang on the trial's number alone."""

import itertools

import pytest

from orchestrator.errors import UsageError
from orchestrator.space import Categorical, Fixed, Float, Int, SearchSpace, includes
from orchestrator.study.points import grid_order, share_of, sobol_point, sobol_points, value_at_share

PARAMETERS = {
    "plain": Float(type="float", low=-2.0, high=3.0),
    "log": Float(type="float", low=1e-5, high=1e-1, log=True),
    "stepped": Float(type="float", low=0.1, high=0.5, step=0.1),
    "int": Int(type="int", low=-3, high=9, step=3),
    "log_int": Int(type="int", low=1, high=1000, log=True),
    "choice": Categorical(type="categorical", choices=("a", True, 2.5)),
    "fixed": Fixed(type="fixed", value="x"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_share_of_a_domain_is_in_it_and_the_ends_are_reached(name):
    parameter = PARAMETERS[name]
    values = [value_at_share(parameter, share) for share in (0.0, 0.1, 0.5, 0.9, 0.9999999999999999)]
    assert all(includes(parameter, value) for value in values)
    if isinstance(parameter, Float | Int):
        assert values[0] == pytest.approx(parameter.low)
        assert values[-1] == pytest.approx(parameter.high)
        assert values == sorted(values)


def test_the_middle_of_a_logarithmic_domain_is_its_geometric_mean():
    assert value_at_share(PARAMETERS["log"], 0.5) == pytest.approx(1e-3)


def test_each_number_has_its_point_whatever_was_asked_before():
    space = SearchSpace({"plain": PARAMETERS["plain"], "choice": PARAMETERS["choice"]}, constraints=("plain > 0",))
    points = [sobol_point(space, seed=3, number=n) for n in range(300)]
    assert points[280] == sobol_point(space, seed=3, number=280)
    assert all(space.is_feasible(point) for point in points)
    assert len({point["plain"] for point in points}) == 300


def test_a_grid_has_each_point_once_in_an_order_of_the_seed():
    space = SearchSpace({"int": PARAMETERS["int"]})
    order = grid_order(space, seed=1)
    assert order == grid_order(space, seed=1) != grid_order(space, seed=0)
    assert sorted(point["int"] for point in order) == [-3, 0, 3, 6, 9]


def test_given_values_stand_in_each_quasi_random_point():
    space = SearchSpace({"plain": PARAMETERS["plain"], "choice": PARAMETERS["choice"]})
    points = list(itertools.islice(sobol_points(space, seed=0, start=3, given={"choice": 2.5}), 5))
    assert {point["choice"] for point in points} == {2.5}
    assert points[0]["plain"] == sobol_point(space, seed=0, number=3)["plain"]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("name", ["plain", "log"])
def test_a_share_is_found_again(name, share):
    assert share_of(PARAMETERS[name], value_at_share(PARAMETERS[name], share)) == pytest.approx(share)


def test_impossible_constraints_are_an_error():
    with pytest.raises(UsageError, match="10000 draws"):
        sobol_point(SearchSpace({"plain": PARAMETERS["plain"]}, constraints=("plain > 5",)), seed=0, number=0)
