import math

import numpy as np
import pytest

from orchestrator.analysis.confirming.cells import Candidate, Cells
from orchestrator.analysis.confirming.drops import drops, expected_drop
from orchestrator.spec.model import Direction

CANDIDATES = [Candidate("default", default=True), Candidate("a", 0.9), Candidate("b", 0.8)]
CELLS = Cells(("default", "a", "b"), np.array([[0.5, 0.5, 0.5], [0.7, 0.8, 0.75], [0.8, 0.78, math.nan]]))


def test_a_drop_is_what_the_search_promised_too_much():
    of_a, of_b = drops(CANDIDATES, CELLS, direction=Direction.MAXIMIZE)

    assert (of_a.candidate, of_a.search, of_a.confirmed) == ("a", 0.9, pytest.approx(0.75))
    assert of_a.drop.mean == pytest.approx(0.15)
    assert of_a.drop.low < 0.15 < of_a.drop.high
    assert of_b.drop.mean == pytest.approx(0.01)


def test_lower_values_than_the_search_promised_are_a_gain_when_lower_is_better():
    of_a, _ = drops(CANDIDATES, CELLS, direction=Direction.MINIMIZE)

    assert of_a.drop.mean == pytest.approx(-0.15)
    assert of_a.drop.low < -0.15 < of_a.drop.high


def test_the_expected_drop_takes_the_seeds_that_all_candidates_have():
    found = expected_drop(CANDIDATES, CELLS, direction=Direction.MAXIMIZE)

    assert found.search == pytest.approx(0.85)
    assert found.confirmed == pytest.approx((0.75 + 0.79) / 2)


def test_without_a_searched_candidate_there_is_none():
    assert expected_drop(CANDIDATES[:1], CELLS, direction=Direction.MAXIMIZE) is None
