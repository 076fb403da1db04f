import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.confirming.intervals import Interval, Uncertainty, mean_interval, shared_unit_variance


def test_seeds_alone_give_the_usual_t_interval():
    values = np.array([0.1, 0.4, np.nan, 0.3, 0.25])
    there = values[np.isfinite(values)]

    interval = mean_interval(values, None)

    low, high = stats.t.interval(0.95, 3, loc=there.mean(), scale=stats.sem(there))
    assert (interval.mean, interval.low, interval.high) == pytest.approx((there.mean(), low, high))


def test_one_seed_has_no_interval_and_none_has_no_mean():
    one = mean_interval(np.array([0.5, np.nan]), None)
    none = mean_interval(np.array([np.nan]), None)

    assert one.mean == 0.5
    assert math.isnan(one.low)
    assert math.isnan(none.mean)


def test_a_metric_without_variation_has_an_interval_of_no_width():
    interval = mean_interval(np.full(4, 0.1 + 0.2), None)

    assert interval.low == interval.mean == interval.high


def test_only_what_all_seeds_share_of_the_units_is_added():
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(1, 20_000)), rng.normal(size=(5, 20_000))

    together, _ = shared_unit_variance(2 * shared + own)
    alone, _ = shared_unit_variance(own)

    assert together == pytest.approx(4, rel=0.05)
    assert alone == pytest.approx(0, abs=0.02)


def test_the_degrees_of_freedom_follow_the_larger_part():
    seeds_only = Uncertainty.of(1.0, 4, 0.0, math.inf)
    both = Uncertainty.of(1.0, 4, 1.0, math.inf)

    assert (seeds_only.error, seeds_only.df) == (1.0, 4)
    assert both.df == pytest.approx(16)


def test_an_interval_stays_within_the_values_that_the_metric_can_have():
    assert Interval(0.95, 0.85, 1.05).within((0.0, 1.0)) == Interval(0.95, 0.85, 1.0)
