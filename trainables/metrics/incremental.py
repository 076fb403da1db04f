"""How well classes are told apart that came one task after the other: accuracies, forgetting, and the cosines under it.

The incremental task keeps the rows A_t: after task t, the accuracy on each task j <= t among all classes seen so far.
Compare figures of equal t only: with fewer classes seen, every accuracy is higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Rows = Sequence[Sequence[float]]
"""Row t has t + 1 accuracies, the last one on the newest task."""


def overall_accuracy(row: Sequence[float], num_items: Sequence[int]) -> float:
    """Accuracy over the items of all tasks in the row. Args: num_items: of each task, at least as many."""
    counts = num_items[: len(row)]
    return sum(a * n for a, n in zip(row, counts, strict=True)) / sum(counts)


def average_accuracy(rows: Rows, num_items: Sequence[int]) -> float:
    """Mean over tasks t of the overall accuracy after t."""
    return sum(overall_accuracy(row, num_items) for row in rows) / len(rows)


def forgetting(rows: Rows) -> float | None:
    """Mean over earlier tasks of the best accuracy that there was, before now, minus the present one; None at first.

    Source: Chaudhry et al. 2018, arXiv:1801.10112, eq. 3.
    """
    return _mean([max(row[j] for row in rows[j:-1]) - rows[-1][j] for j in range(len(rows) - 1)])


def backward_transfer(rows: Rows) -> float | None:
    """Mean over earlier tasks of the present accuracy minus that right after the task; None at first.

    Source: Lopez-Paz and Ranzato 2017, arXiv:1706.08840, eq. 3.
    """
    return _mean([rows[-1][j] - rows[j][j] for j in range(len(rows) - 1)])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def nearest_mean(z_ND: Tensor, means_CD: Tensor) -> Tensor:
    """Number of the class whose normalised mean has the highest cosine with each row; the first of equals."""
    return (F.normalize(z_ND, dim=1) @ F.normalize(means_CD, dim=1).T).argmax(dim=1)


@dataclass(frozen=True, slots=True)
class ContrastCosines:
    """Mean cosine of the positive pairs, of the negative pairs, and of each anchor's hardest negative; float64, 0-d."""

    positive: Tensor
    negative: Tensor
    hardest_negative: Tensor

    def named(self) -> dict[str, Tensor]:
        """By metric name, with the gap of the means and the one that the hardest negative leaves."""
        return {
            "positive_cosine": self.positive,
            "negative_cosine": self.negative,
            "hardest_negative_cosine": self.hardest_negative,
            "gap": self.positive - self.negative,
            "hardest_gap": self.positive - self.hardest_negative,
        }


def contrast_cosines(similarity_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor) -> ContrastCosines | None:
    """Measure a batch; None when it has no positive or no negative pair. Masks are bool, the same in all lanes."""
    if not bool(positive_AN.any()) or not bool(negative_AN.any()):
        return None
    cosines_AN = similarity_AN.detach()
    hardest_A = cosines_AN.masked_fill(~negative_AN, -torch.inf).amax(dim=1)
    return ContrastCosines(
        positive=cosines_AN[positive_AN].mean().double(),
        negative=cosines_AN[negative_AN].mean().double(),
        hardest_negative=hardest_A[negative_AN.any(dim=1)].mean().double(),
    )
