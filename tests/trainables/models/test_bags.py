"""Means of the rows of bags: those of torch to the bit, and the same in lanes."""

import pytest
import torch
from torch.nn import functional as F

from trainables.models.bags import MeanBags

NUM_ROWS, WIDTH, LANES = 12, 4, 3


@pytest.fixture
def rows():
    """Bags with padding at the end, in the middle, nowhere, and everywhere; the last row of the table too."""
    return torch.tensor([[1, 2, 0, 0], [3, 0, 3, 11], [5, 6, 7, 11], [0, 0, 0, 0]])


def bags(seed):
    torch.manual_seed(seed)
    return MeanBags(NUM_ROWS, WIDTH)


def of_torch(weight, rows):
    return F.embedding_bag(rows, weight, mode="mean", padding_idx=0)


def test_means_and_gradients_are_those_of_torch_to_the_bit(rows):
    module, upstream = bags(0), torch.randn(len(rows), WIDTH)
    weight = module.weight.detach().clone().requires_grad_()
    found, expected = module(rows), of_torch(weight, rows)
    found.backward(upstream)
    expected.backward(upstream)
    assert torch.equal(found, expected)
    assert torch.equal(module.weight.grad, weight.grad)


@pytest.mark.parametrize("learns", [True, False])
def test_each_lane_has_the_means_and_the_gradient_of_its_own_table(rows, learns):
    modules, upstream = [bags(seed) for seed in range(LANES)], torch.randn(LANES, len(rows), WIDTH)
    stacked = torch.stack([module.weight.detach() for module in modules]).requires_grad_(learns)
    found = torch.vmap(lambda weight: torch.func.functional_call(modules[0], {"weight": weight}, (rows,)))(stacked)
    expected = [module(rows) for module in modules]
    torch.testing.assert_close(found.detach(), torch.stack(expected).detach())
    if learns:
        found.backward(upstream)
        torch.autograd.backward(expected, list(upstream))
        torch.testing.assert_close(stacked.grad, torch.stack([module.weight.grad for module in modules]))


def test_the_gradient_is_that_of_the_means(rows):
    weight = torch.randn(NUM_ROWS, WIDTH, dtype=torch.float64, requires_grad=True)
    module = MeanBags(NUM_ROWS, WIDTH).double()
    assert torch.autograd.gradcheck(lambda w: torch.func.functional_call(module, {"weight": w}, (rows,)), (weight,))
