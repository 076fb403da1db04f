"""Points at chosen distances from each other: how generated class targets are laid out."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def points_at_distances(distances_CC: Array) -> Array:
    """Points around the origin with these distances, in as few dimensions as it takes; (C, C - 1).

    Classical scaling: the centred Gram matrix -J D^2 J / 2 is factored. Distances that no points can have are moved
    towards their root mean square just as far as it takes.

    Args: distances_CC: symmetric, zero on the diagonal.
    """
    num = len(distances_CC)
    if num == 1:
        return np.zeros((1, 0))
    squares_CC = distances_CC**2
    centre_CC = np.eye(num) - 1 / num
    gram_CC = -centre_CC @ squares_CC @ centre_CC / 2
    # Of a regular simplex, the one eigenvalue on the space where J is the identity.
    regular = squares_CC.sum() / (2 * num * (num - 1))
    lowest = min(float(np.linalg.eigvalsh(gram_CC)[0]), 0.0)
    share = regular / (regular - lowest) if lowest < 0 else 1.0
    mixed_CC = share * gram_CC + (1 - share) * regular * centre_CC
    values_C, vectors_CC = np.linalg.eigh(mixed_CC)
    points_CC = vectors_CC * np.sqrt(values_C.clip(min=0))
    return np.asarray(points_CC[:, 1:])


def random_rotation(rows: int, columns: int, *, rng: np.random.Generator) -> Array:
    """Rows of unit length at right angles, in random directions; needs rows <= columns."""
    return np.asarray(np.linalg.qr(rng.normal(size=(columns, rows)))[0].T)


def random_distances(num: int, *, low: float, high: float, rng: np.random.Generator) -> Array:
    """Distances of each pair, uniform between the two; symmetric, zero on the diagonal."""
    upper_CC = np.triu(rng.uniform(low, high, size=(num, num)), k=1)
    return np.asarray(upper_CC + upper_CC.T)
