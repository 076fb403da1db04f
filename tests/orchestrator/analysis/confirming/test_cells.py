import math

import numpy as np

from orchestrator.analysis.confirming.cells import Run, cells_on_test, cells_on_val


def test_runs_in_work_and_failed_ones_leave_holes():
    runs = [Run("a", 5, 0.1), Run("a", 6, math.nan), Run("b", 5), Run("b", 6, 0.4), Run("other", 5, 9.0)]

    cells = cells_on_val(["a", "b"], runs, [5, 6])

    np.testing.assert_array_equal(cells.table, [[0.1, np.nan], [np.nan, 0.4]])
    assert cells.num_seeds == (1, 1)
    assert cells.scale == 0.4


def test_resamples_are_kept_when_all_runs_have_as_many():
    runs = [Run("a", 0, 0.1, 0.2, (0.1, 0.3)), Run("b", 0, 0.1, 0.4, (0.3, 0.5))]

    cells = cells_on_test(["a", "b"], runs, [0])

    np.testing.assert_array_equal(cells.table, [[0.2], [0.4]])
    np.testing.assert_array_equal(cells.resamples, [[[0.1, 0.3]], [[0.3, 0.5]]])
    assert cells.only(["b"]).resamples.shape == (1, 1, 2)


def test_one_run_without_resamples_leaves_the_seeds_alone():
    runs = [Run("a", 0, 0.1, 0.2, (0.1, 0.3)), Run("b", 0, 0.1, 0.4)]

    assert cells_on_test(["a", "b"], runs, [0]).resamples is None
