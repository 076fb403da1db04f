"""Calinski-Harabasz and Davies-Bouldin, each beside what the same embeddings get with shuffled labels.

Neither can be read alone: they depend on how many items a class has, and total collapse gives a Davies-Bouldin of 0,
which is its best value. They do not choose models; the ranking does.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trainables.metrics.rows import Rows, chunks

_NUM_PERMUTATIONS = 10


@dataclass(frozen=True, slots=True)
class ClusteringScores:
    """Of unit embeddings, in Euclidean distance; NaN where embeddings are not finite.

    Attributes:
        calinski_harabasz: higher is better; about 1 for random labels, 0 where all class means coincide.
        davies_bouldin: lower is better; infinite where they do.
        calinski_harabasz_chance: mean over permutations of the labels, like the next one.
        davies_bouldin_chance: grows with the number of items of a class.
    """

    calinski_harabasz: float
    davies_bouldin: float
    calinski_harabasz_chance: float
    davies_bouldin_chance: float


def clustering_scores(z_ND: Tensor, labels_N: Tensor, *, seed: int) -> ClusteringScores:
    """Score the classes as if they were clusters.

    Shapes: N embeddings of size D; rows are normalised here.
    Args: seed: of the permutations.
    Raises: ValueError: fewer than 2 classes, or as many as items.
    """
    num_classes = len(set(labels_N.tolist()))
    if not 2 <= num_classes < len(labels_N):
        raise ValueError(f"{num_classes} classes of {len(labels_N)} items: clusters need from 2 to N - 1 classes")
    if not bool(z_ND.isfinite().all()):
        return ClusteringScores(math.nan, math.nan, math.nan, math.nan)
    z_ND = F.normalize(z_ND.detach().double(), dim=1).cpu()
    class_N = torch.unique(labels_N.cpu(), return_inverse=True)[1]
    random = np.random.default_rng(seed)
    shuffled = [
        _scores(z_ND, torch.from_numpy(random.permutation(class_N.numpy())), num_classes=num_classes)
        for _ in range(_NUM_PERMUTATIONS)
    ]
    chance = np.mean(shuffled, axis=0)
    return ClusteringScores(*_scores(z_ND, class_N, num_classes=num_classes), float(chance[0]), float(chance[1]))


def _scores(z_ND: Tensor, class_N: Tensor, *, num_classes: int) -> tuple[float, float]:
    """Calinski-Harabasz and Davies-Bouldin; 0 and infinity where nothing but rounding is between the class means."""
    num_C = class_N.bincount(minlength=num_classes).double()
    mean_CD = _sums(z_ND, class_N, num_classes) / num_C[:, None]
    if torch.allclose(mean_CD, mean_CD[:1], rtol=0, atol=1e-8):
        return 0.0, math.inf
    distance_N = (z_ND - mean_CD[class_N]).norm(dim=1)
    within, between = distance_N.square().sum(), (num_C * (mean_CD - z_ND.mean(dim=0)).square().sum(dim=1)).sum()
    spread_C = _sums(distance_N, class_N, num_classes) / num_C
    if torch.allclose(spread_C, torch.zeros_like(spread_C)):
        # No class has any spread, up to rounding: of Davies-Bouldin the best value.
        davies_bouldin = 0.0
    else:
        davies_bouldin = float(torch.cat(list(_worst_ratios(mean_CD, spread_C))).mean())
    degrees = (len(z_ND) - num_classes) / (num_classes - 1)
    return float(between / within) * degrees if within > 0 else 1.0, davies_bouldin


def _sums(value_NX: Tensor, class_N: Tensor, num_classes: int) -> Tensor:
    return value_NX.new_zeros(num_classes, *value_NX.shape[1:]).index_add_(0, class_N, value_NX)


def _worst_ratios(mean_CD: Tensor, spread_C: Tensor) -> Iterator[Tensor]:
    """Of each class the largest sum of its own and another one's spread, over the distance of their means."""
    distance_CC = Rows((len(mean_CD), len(mean_CD)), lambda rows: torch.cdist(mean_CD[rows], mean_CD))
    for rows in chunks(distance_CC):
        distance_RC = distance_CC[rows]
        distance_RC.diagonal(rows.start).fill_(torch.inf)
        # As scikit-learn has it, means that coincide are left out.
        distance_RC.masked_fill_(distance_RC == 0, torch.inf)
        yield ((spread_C[rows, None] + spread_C) / distance_RC).amax(dim=1)
