import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.confirming.cells import Cells
from orchestrator.analysis.confirming.comparing import Comparing
from orchestrator.spec.model import Direction

TABLE = np.array([[0.50, 0.52, 0.48, 0.51], [0.60, 0.65, 0.58, 0.59], [0.55, 0.56, 0.51, 0.57]])
CELLS = Cells(("default", "a", "b"), TABLE)


def test_against_the_default_the_bounds_allow_for_all_candidates_of_the_start():
    found = Comparing(CELLS, Direction.MAXIMIZE).against_default("default", ["a"], family=3)[0]

    paired = TABLE[1] - TABLE[0]
    low, high = stats.t.interval(1 - 0.05 / 3, 3, loc=paired.mean(), scale=stats.sem(paired))
    assert (found.mean, found.low, found.high) == pytest.approx((paired.mean(), low, high))
    assert found.low < found.at_least < found.mean


def test_the_best_against_each_other_one_is_a_two_sided_test():
    found = Comparing(CELLS, Direction.MAXIMIZE).of_best("a", ["b"])[0]

    p = stats.ttest_rel(TABLE[1], TABLE[2]).pvalue
    assert found.separated == (p < 0.05)
    assert found.low == found.at_least


def test_positive_is_better_when_lower_is():
    up = Comparing(CELLS, Direction.MAXIMIZE).against_default("default", ["a"], family=2)[0]
    down = Comparing(CELLS, Direction.MINIMIZE).against_default("default", ["a"], family=2)[0]

    assert (down.mean, down.low, down.high) == pytest.approx((-up.mean, -up.high, -up.low))


def test_without_common_seeds_nothing_is_shown():
    cells = Cells(("default", "a"), np.array([[math.nan, 0.5], [0.4, math.nan]]))

    comparing = Comparing(cells, Direction.MAXIMIZE)
    (found,) = comparing.of_best("a", ["default"])

    assert comparing.against_default("default", ["a"], family=1) == ()
    assert math.isnan(found.mean)
    assert not found.separated
