import math

import pytest
import torch

from trainables.losses.bounds import Bounds, clip_bounds, kept_negatives, supcon_bounds
from trainables.losses.negatives import num_kept
from trainables.losses.siglip import siglip_bounds


@pytest.mark.parametrize(
    ("batch_size", "temperature", "floor"),
    [
        (20, 10.0, 2.896),
        (20, 0.1, 0.0005),
        (128, 10.0, 4.752),
        (128, 1.0, 3.858),
        (128, 0.15, 0.143),
        (128, 0.1, 0.005),
    ],
)
def test_clip_floor(batch_size, temperature, floor):
    bounds = clip_bounds(batch_size, temperature)
    assert bounds.chance == pytest.approx(math.log(batch_size))
    assert bounds.floor == pytest.approx(floor, abs=5e-4)
    assert bounds.floor == pytest.approx(
        math.log(1 + (batch_size - 1) * math.exp(-(1 + 1 / (batch_size - 1)) / temperature))
    )


def test_position():
    bounds = Bounds(chance=3.0, floor=1.0)
    assert [bounds.position(x) for x in (1.0, 2.0, 3.0, 4.0)] == [0.0, 0.5, 1.0, 1.5]


def test_a_margin_raises_both_bounds_and_a_ratio_lowers_both():
    plain = clip_bounds(128, 0.1)
    with_margin, with_ratio = clip_bounds(128, 0.1, margin=0.2), clip_bounds(128, 0.1, hard_negative_ratio=0.1)
    assert with_margin.floor > plain.floor
    assert with_margin.chance > plain.chance
    assert with_ratio.floor < plain.floor
    assert with_ratio.chance == pytest.approx(math.log(1 + 13))


def test_a_huge_margin_over_a_small_temperature_does_not_overflow():
    assert clip_bounds(128, 0.001, margin=2.0).chance == pytest.approx(2000 + math.log(127))


def test_supcon_bounds():
    bounds = supcon_bounds(20, 0.1, positives_per_anchor=4)
    assert bounds.chance == pytest.approx(math.log(20))
    assert bounds.floor == pytest.approx(math.log(4 + 16 * math.exp(-(1 + 1 / 4) / 0.1)))
    assert supcon_bounds(20, 0.1) == clip_bounds(20, 0.1)


def test_siglip_chance_is_a_prior_of_one_in_b():
    chance = siglip_bounds(128, scale=10.0, bias=-10.0).chance
    assert chance == pytest.approx(math.log(128) + 127 * math.log(128 / 127))


def test_siglip_floor_at_the_simplex():
    floor = siglip_bounds(128, scale=10.0, bias=-10.0).floor
    assert floor == pytest.approx(math.log(2) + 127 * math.log1p(math.exp(-10 / 127 - 10)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: clip_bounds(1, 0.1),
        lambda: siglip_bounds(1, scale=10.0, bias=-10.0),
        lambda: supcon_bounds(4, 0.1, positives_per_anchor=4),
    ],
)
def test_without_negatives_there_is_no_range(build):
    with pytest.raises(ValueError, match="no negatives"):
        build()


def test_kept_negatives_agrees_with_the_count_of_the_losses():
    for available in (1, 7, 19, 100, 127):
        for ratio in (0.01, 0.07, 0.1, 0.3, 0.5, 0.99, 1.0):
            kept = num_kept(torch.tensor(available, dtype=torch.float64), ratio=ratio)
            assert kept_negatives(available, ratio) == float(kept)
