import torch

from trainables.losses.active import fraction_of, mean_over


def test_mean_over_a_mask():
    values = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    assert mean_over(values, values > 1.5) == 14 / 3
    assert mean_over(values, values > 9) == 0


def test_fraction_of_a_mask():
    whole = torch.tensor([True, True, True, False])
    assert fraction_of(torch.tensor([True, False, False, True]), whole) == torch.tensor(1 / 3)
    assert fraction_of(whole, ~whole & whole) == 0
