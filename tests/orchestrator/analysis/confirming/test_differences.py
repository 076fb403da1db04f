import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.analysis.confirming.cells import Cells
from orchestrator.analysis.confirming.differences import Noise, gap, pooled_noise

SILENT = Noise(0.0, 1)


def cells(table, resamples=None):
    return Cells(tuple("abcd"[: len(table)]), np.array(table, dtype=float), resamples)


def test_the_pooled_noise_takes_out_candidates_and_seeds():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(4, 1)) * 9 + rng.normal(size=(1, 400)) * 5 + rng.normal(size=(4, 400)) * 0.3

    noise = pooled_noise(cells(table))

    assert noise.variance == pytest.approx(0.09, rel=0.1)
    assert noise.df == 3 * 399


def test_the_pooled_noise_does_without_failed_seeds():
    noise = pooled_noise(cells([[1, 2, 3], [2, 3, math.nan], [5, 6, 7]]))

    assert noise.df == 8 - (3 + 3 - 1)
    assert noise.variance == pytest.approx(0, abs=1e-20)


def test_holes_change_nothing_where_there_are_none():
    table = np.random.default_rng(2).normal(size=(3, 5))
    with_hole = np.vstack([table, np.full(5, math.nan)])

    assert pooled_noise(cells(with_hole)).variance == pytest.approx(pooled_noise(cells(table)).variance)
    assert pooled_noise(cells(with_hole)).df == 8


def test_a_gap_is_a_paired_t_test_on_the_common_seeds():
    a, b = [0.5, 0.6, 0.8, math.nan, 0.7], [0.4, 0.55, 0.6, 0.5, 0.65]
    pairs = np.array([[0.5, 0.6, 0.8, 0.7], [0.4, 0.55, 0.6, 0.65]])

    found = gap(cells([a, b]), "a", "b", noise=SILENT)

    assert found.mean / found.error == pytest.approx(stats.ttest_rel(*pairs).statistic)
    assert found.df == 3


def test_units_that_move_both_candidates_alike_cancel():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(1, 1, 500))
    table = rng.normal(size=(2, 6)) * 0.01
    paired = gap(cells(table, np.broadcast_to(shared, (2, 6, 500))), "a", "b", noise=SILENT)

    assert paired.error == pytest.approx(gap(cells(table), "a", "b", noise=SILENT).error)


def test_a_difference_within_rounding_has_an_error_that_is_larger():
    found = gap(cells([[0.3, 0.3, 0.3], [0.1 + 0.2] * 3]), "a", "b", noise=SILENT)

    assert abs(found.mean) < found.error


def test_a_pair_that_agrees_by_luck_is_not_without_noise():
    noisy = Noise(1.0, 9)

    found = gap(cells([[2, 3, 4], [1, 2, 3]]), "a", "b", noise=noisy)

    assert found.error == pytest.approx(math.sqrt(0.5 / 3))


def test_one_common_seed_is_no_gap():
    assert gap(cells([[1, math.nan], [1, 2]]), "a", "b", noise=SILENT) is None
