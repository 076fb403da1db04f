"""Curves leave out what is not finite and know the untrained value."""

import math

import pytest

from tests.support.histories import history
from trainables.health.curves import curve, curves, setting, trained_curve


def test_a_curve_leaves_out_what_is_not_finite():
    values = curve(history(val_a=[1.0, math.nan, math.inf, 1e200, 4.0, 6.0]), "val/a")
    assert values.points == ((0, 1.0), (4, 4.0), (5, 6.0))
    assert (values.untrained, values.first, values.last, values.step) == (1.0, 1.0, 6.0, 5)


def test_now_is_the_mean_of_the_last_three():
    assert curve(history(val_a=[9.0, 1.0, 2.0, 6.0]), "val/a").now == pytest.approx(3.0)


def test_the_trained_part_has_no_step_0():
    values = trained_curve(history(val_a=[9.0, 1.0]), "val/a")
    assert values.points == ((1, 1.0),)
    assert values.untrained is None


def test_a_metric_that_was_never_measured_is_empty():
    assert not curve(history(val_a=[1.0]), "val/b")


def test_curves_by_prefix_and_suffix():
    found = curves(history(val_a_loss=[0.0, 1.0], val_b_loss=[2.0], val_loss=[0.0, 3.0]), "val/", "_loss")
    assert {name: values.last for name, values in found.items()} == {"a": 1.0}


@pytest.mark.parametrize(("value", "number"), [(2, 2.0), ("2", None), (None, None), (math.nan, None)])
def test_a_setting_is_a_number_or_none(value, number):
    assert setting(history(config={"k": value}), "k") == number
