import pytest
import torch
from torch.nn import functional as F

from trainables.metrics.collapse import effective_rank, mean_cosine, resultant_length, top_variance_fraction

N, D = 1000, 64


def noise(scale: float = 1.0, size: int = D) -> torch.Tensor:
    return scale * torch.randn(N, size, generator=torch.Generator().manual_seed(0))


def test_healthy_embeddings():
    z = F.normalize(noise(), dim=1)
    assert resultant_length(z) < 0.1
    assert effective_rank(z, centred=True) > 60
    assert top_variance_fraction(z) < 0.05


def test_a_noisy_point_is_seen_by_the_resultant_and_the_uncentred_rank_only():
    z = F.normalize(F.one_hot(torch.zeros(N, dtype=torch.long), D) + noise(1e-3 / D**0.5), dim=1)
    assert resultant_length(z) > 0.999
    assert effective_rank(z, centred=False) < 1.5
    assert effective_rank(z, centred=True) > 60
    assert top_variance_fraction(z) < 0.05


def test_few_dimensions_are_seen_by_the_ranks_only():
    z = F.normalize(F.pad(noise(size=4), (0, D - 4)), dim=1)
    assert resultant_length(z) < 0.1
    assert effective_rank(z, centred=True) == pytest.approx(4.0, abs=0.05)
    assert effective_rank(z, centred=False) == pytest.approx(4.0, abs=0.05)


def test_two_opposite_points_are_seen_by_the_top_variance():
    sign = torch.tensor([1.0, -1.0]).repeat(N // 2)[:, None]
    z = sign * F.one_hot(torch.zeros(N, dtype=torch.long), D)
    assert resultant_length(z) == 0.0
    assert top_variance_fraction(z) == pytest.approx(1.0)
    assert effective_rank(z, centred=True) == pytest.approx(1.0)


def test_one_exact_point():
    z = torch.full((N, D), 0.1)
    assert resultant_length(z) == pytest.approx(1.0)
    assert effective_rank(z, centred=False) == pytest.approx(1.0)
    assert effective_rank(z, centred=True) == 0.0
    assert top_variance_fraction(z) == 0.0


def test_half_precision_and_gradients_are_accepted():
    z = F.normalize(noise(), dim=1).bfloat16().requires_grad_()
    assert effective_rank(z, centred=True) > 60
    assert resultant_length(z) < 0.1


def test_resultant_length_does_not_depend_on_lengths():
    z = noise(size=3) + 1
    assert resultant_length(z) == pytest.approx(resultant_length(z * torch.arange(1, N + 1)[:, None]))


def test_the_mean_cosine_of_points_and_of_opposite_points():
    point = F.one_hot(torch.zeros(N, dtype=torch.long), D).double()
    assert mean_cosine(3 * point) == pytest.approx(1.0)
    sign = torch.tensor([1.0, -1.0]).repeat(N // 2)[:, None]
    assert mean_cosine(sign * point) == pytest.approx(-1 / (N - 1))
