"""Calinski-Harabasz and Davies-Bouldin, each beside what the same embeddings get with shuffled labels.

Neither can be read alone: they depend on how many items a class has, and total collapse gives a Davies-Bouldin of 0,
which is its best value. They do not choose models; the ranking does.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score
from torch import Tensor
from torch.nn import functional as F

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
    z = F.normalize(z_ND.detach().double(), dim=1).cpu().numpy()
    labels, random = labels_N.cpu().numpy(), np.random.default_rng(seed)
    shuffled = [_scores(z, random.permutation(labels)) for _ in range(_NUM_PERMUTATIONS)]
    chance = np.mean(shuffled, axis=0)
    return ClusteringScores(*_scores(z, labels), float(chance[0]), float(chance[1]))


def _scores(z: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, float]:
    means = np.stack([z[labels == label].mean(axis=0) for label in np.unique(labels)])
    if np.allclose(means, means[0], rtol=0, atol=1e-8):
        # Nothing but rounding is between them; scikit-learn would give 1 and, for Davies-Bouldin, its best value 0.
        return 0.0, math.inf
    return float(calinski_harabasz_score(z, labels)), float(davies_bouldin_score(z, labels))
