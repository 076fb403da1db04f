import pytest
import torch

from trainables.metrics.cosines import mean_cosines

VIDEO = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
TEXT = torch.tensor([[1.0, 0.0], [3.0, 4.0], [5.0, 0.0]])


def test_matched_and_unmatched():
    cosines = mean_cosines(VIDEO, TEXT)
    assert cosines.matched == pytest.approx((1 + 0.8 + 1) / 3)
    assert cosines.unmatched == pytest.approx((0.6 + 1 + 0 + 0 + 1 + 0.6) / 6)


def test_equivalent_pairs_are_not_unmatched():
    equivalent = torch.zeros(3, 3, dtype=torch.bool)
    equivalent[0, 2] = equivalent[2, 0] = True
    assert mean_cosines(VIDEO, TEXT, equivalent_BB=equivalent).unmatched == pytest.approx(1.2 / 4)


def test_no_unmatched_pair():
    assert mean_cosines(VIDEO[:1], TEXT[:1]).unmatched is None
    assert mean_cosines(VIDEO, TEXT, equivalent_BB=torch.ones(3, 3, dtype=torch.bool)).unmatched is None
