"""Generated embeddings: class targets at chosen distances, and noisy inputs that tell the class.

All of it follows from the source's seed. The splits share the class targets and no random stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.data.embeddings.embeddings import Embeddings
from trainables.data.embeddings.geometry import Array, points_at_distances, random_distances, random_rotation
from trainables.data.embeddings.sources import NUM_FACTORS, GeneratedEmbeddings, TargetGeometry
from trainables.data.errors import Split

_STREAMS = {Split.TRAIN: 1, Split.VAL: 2, Split.TEST: 3}
_FACTOR_LENGTH = 8.0
"""In deviations of the noise: three for each of the eight factors."""


def read_generated(source: GeneratedEmbeddings, split: Split) -> Embeddings:
    """Generate one split."""
    world = _build_world(source)
    sizes = {Split.TRAIN: source.num_train, Split.VAL: source.num_val, Split.TEST: source.num_test}
    rng = np.random.default_rng([source.seed, _STREAMS[split]])
    labels_N = _draw_labels(source, sizes[split], rng)
    # What sets an item apart within its class: it moves the input and, where targets vary, the target too.
    factors_NK = rng.normal(size=(len(labels_N), NUM_FACTORS)) / NUM_FACTORS**0.5
    inputs_NI = world.inputs_CI[labels_N] + factors_NK @ world.input_factors_KI
    inputs_NI = inputs_NI + rng.normal(size=inputs_NI.shape)
    targets = {
        space: (world.targets[space][labels_N] + source.within_class * factors_NK @ world.target_factors[space])
        .reshape(-1, geometry.positions, geometry.dims)
        .astype(np.float32)
        for space, geometry in _geometries(source).items()
    }
    return Embeddings(
        inputs_NSI=torch.from_numpy(inputs_NI.reshape(-1, source.positions, source.dims).astype(np.float32)),
        targets={space: torch.from_numpy(target) for space, target in targets.items()},
        labels_N=torch.from_numpy(labels_N),
    )


@dataclass(frozen=True, slots=True)
class _World:
    """What the splits have in common: class patterns, and factors at right angles to them, for inputs and targets."""

    inputs_CI: Array
    input_factors_KI: Array
    targets: Mapping[str, Array]
    target_factors: Mapping[str, Array]


def _build_world(source: GeneratedEmbeddings) -> _World:
    rng = np.random.default_rng([source.seed, 0])
    num = source.num_classes
    inputs_CI, input_factors_KI = _lay_out(
        source.separation * (1 - np.eye(num)), size=source.positions * source.dims, rng=rng
    )
    targets, target_factors = {}, {}
    for space, geometry in _geometries(source).items():
        size = geometry.positions * geometry.dims
        distances_CC = random_distances(num, low=geometry.distance_low, high=geometry.distance_high, rng=rng)
        points_CD, target_factors[space] = _lay_out(distances_CC, size=size, rng=rng)
        common_D = rng.normal(size=size)
        targets[space] = points_CD + common_D * (geometry.mean_norm / np.linalg.norm(common_D))
    return _World(inputs_CI, _FACTOR_LENGTH * input_factors_KI, targets, target_factors)


def _lay_out(distances_CC: Array, *, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points at these distances in a random orientation, and unit factors at right angles to all of them."""
    points_CP = points_at_distances(distances_CC)
    rotation = random_rotation(points_CP.shape[1] + NUM_FACTORS, size, rng=rng)
    return points_CP @ rotation[:-NUM_FACTORS], rotation[-NUM_FACTORS:]


def _geometries(source: GeneratedEmbeddings) -> dict[str, TargetGeometry]:
    return {"clip": source.clip, "t5": source.t5}


def _draw_labels(source: GeneratedEmbeddings, num: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Class numbers in random order, two of each at least, their frequencies falling geometrically."""
    shares = source.imbalance ** -np.linspace(0, 1, source.num_classes)
    counts = 2 + np.floor((num - 2 * source.num_classes) * shares / shares.sum()).astype(np.int64)
    counts[0] += num - counts.sum()
    return rng.permutation(np.repeat(np.arange(source.num_classes), counts))
