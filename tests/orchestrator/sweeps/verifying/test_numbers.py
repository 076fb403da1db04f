"""When two stored numbers are one."""

import math

from orchestrator.sweeps.verifying.numbers import LARGEST, in_mlflow, same, same_lists, same_maps


def test_one_bit_is_a_difference_and_nan_is_nan():
    assert same(0.1, 0.1)
    assert same(math.nan, math.nan)
    assert same(0.0, -0.0)
    assert not same(0.1, math.nextafter(0.1, 1))
    assert not same(math.nan, 0.0)


def test_lists_and_maps():
    assert same_lists([1.0, math.nan], [1.0, math.nan])
    assert not same_lists([1.0], [1.0, 2.0])
    assert same_maps({1: math.nan}, {1: math.nan})
    assert not same_maps({1: 2.0}, {2: 2.0})


def test_what_mlflow_keeps_of_infinity():
    assert in_mlflow(-math.inf) == -LARGEST
    assert in_mlflow(0.5) == 0.5
