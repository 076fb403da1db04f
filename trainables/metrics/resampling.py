"""What a metric would be if other units (queries, people, classes, texts) had been measured: a bootstrap over units.

Tasks say which metrics can be computed with any weights of their items; the loop resamples them on the test split. How
often a unit is drawn depends on the number of units alone, so that the resamples of two trials can be paired.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

NUM_RESAMPLES = 1000
_SEED = 1979
_ROWS = 64
"""Resamples that are in memory at a time."""

Weighted: TypeAlias = Callable[[Tensor], Tensor]
"""A metric as a function of how often each item counts: float64 (B, N) to (B,)."""


@dataclass(frozen=True, slots=True)
class Resamplable:
    """A metric, and which items are drawn together.

    Attributes:
        unit_N: any integers; items with equal ones are drawn together, and each of those that occur is a unit.
        metric: its value for weights of the items; for weights of 1 it is the metric itself.
    """

    unit_N: Tensor
    metric: Weighted

    def resamples(self, num: int = NUM_RESAMPLES) -> list[float]:
        """The metric when as many units as there are were drawn with replacement, `num` times.

        Source: Efron 1979, Bootstrap methods: another look at the jackknife; of clusters as in Field and Welsh 2007.
        """
        place_N = torch.unique(self.unit_N, return_inverse=True)[1]
        chunks = draw_counts(int(place_N.max()) + 1, num=num)
        return [value for counts_BU in chunks for value in self.metric(counts_BU[:, place_N].double()).tolist()]


def draw_counts(num_units: int, *, num: int) -> Iterator[Tensor]:
    """How often each unit is drawn, int64 (B, units), a few of the `num` rows at a time; a row sums to `num_units`."""
    generator = torch.Generator().manual_seed(_SEED)
    for begin in range(0, num, _ROWS):
        drawn_BU = torch.randint(num_units, (min(_ROWS, num - begin), num_units), generator=generator)
        yield torch.zeros_like(drawn_BU).scatter_add_(1, drawn_BU, torch.ones_like(drawn_BU))


def weighted_mean(value_N: Tensor) -> Weighted:
    """The mean of something that each item has, such as a hit or an average precision."""
    value_N = value_N.detach().cpu().double()
    return lambda weight_BN: weight_BN @ value_N / weight_BN.sum(dim=1)


def weighted_f1(predicted_N: Tensor, target_N: Tensor, *, num_classes: int) -> Callable[[Tensor], Tensor]:
    """F1 of each class, (B, N) to (B, C); 0 where nothing is counted for a class, as `class_scores` has it."""
    class_C = torch.arange(num_classes)
    predicted_NC, actual_NC = ((x_N.cpu()[:, None] == class_C).double() for x_N in (predicted_N, target_N))
    right_NC = predicted_NC * actual_NC

    def f1(weight_BN: Tensor) -> Tensor:
        counted_BC = weight_BN @ (predicted_NC + actual_NC)
        return 2 * (weight_BN @ right_NC) / counted_BC.clamp(min=1)

    return f1


def weighted_r2(error_N: Tensor, blind_error_N: Tensor) -> Weighted:
    """1 - squared error / squared error of a constant that was fixed beforehand. Args: both of each item."""
    error_N, blind_error_N = error_N.cpu().double(), blind_error_N.cpu().double()
    return lambda weight_BN: 1 - (weight_BN @ error_N) / (weight_BN @ blind_error_N)


def mean_of(metrics: Sequence[Weighted]) -> Weighted:
    """The plain mean of several metrics on the same items; one that is NaN, for want of items, is left out."""
    return lambda weight_BN: torch.stack([metric(weight_BN) for metric in metrics]).nanmean(dim=0)


def on_some(chosen_N: Tensor, metric: Weighted) -> Weighted:
    """A metric of the chosen items alone; the others are drawn too, and count for nothing. NaN where none is drawn.

    Args: chosen_N: bool.
    """
    chosen_N = chosen_N.cpu()

    def of_some(weight_BN: Tensor) -> Tensor:
        some_BM = weight_BN[:, chosen_N]
        return metric(some_BM).masked_fill(some_BM.sum(dim=1) == 0, torch.nan)

    return of_some
