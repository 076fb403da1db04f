import math

import pytest
import torch

from trainables.losses.bounds import simplex_distance
from trainables.losses.distances import cosine_distance, euclidean_distance


def test_equal_rows_are_at_zero_with_a_gradient_of_zero():
    x = torch.full((3, 4), 0.3, requires_grad=True)
    distance = euclidean_distance(x, x)
    assert distance.abs().max() == 0
    assert torch.autograd.grad(distance.sum(), x)[0].abs().max() == 0


def test_near_rows_are_told_apart_in_float32():
    x = torch.zeros(1, 4) + 1000
    assert euclidean_distance(x, x + torch.tensor([0.0, 0.0, 0.0, 0.25])).item() == 0.25


@pytest.mark.parametrize("distance", [cosine_distance, euclidean_distance])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(distance, dtype):
    x = torch.nn.functional.normalize(torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), dim=1).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = distance(x, x)
    assert result.dtype is torch.float32
    torch.testing.assert_close(result, distance(x.float(), x.float()))


def test_simplex_of_classes():
    assert simplex_distance(2, euclidean=False) == simplex_distance(2, euclidean=True) == 2
    assert simplex_distance(5, euclidean=True) == pytest.approx(math.sqrt(2 * simplex_distance(5, euclidean=False)))
    with pytest.raises(ValueError, match="1 classes"):
        simplex_distance(1, euclidean=True)
