"""Embeddings with their targets, as every source delivers them and as tasks use them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One split.

    Attributes:
        inputs_NSI: float32; N items, S positions, I channels.
        targets: space (`clip`, `t5`) to float32 (N, T, D).
        labels_N: int64 class numbers, 0 to the number of classes - 1.
    """

    inputs_NSI: Tensor
    targets: Mapping[str, Tensor]
    labels_N: Tensor

    def __len__(self) -> int:
        return len(self.labels_N)


def merge(first: Embeddings, second: Embeddings) -> Embeddings:
    """The items of both."""
    return Embeddings(
        inputs_NSI=torch.cat([first.inputs_NSI, second.inputs_NSI]),
        targets={space: torch.cat([target_NTD, second.targets[space]]) for space, target_NTD in first.targets.items()},
        labels_N=torch.cat([first.labels_N, second.labels_N]),
    )


@dataclass(frozen=True)
class EmbeddingData:
    """What a trial learns from and is judged on. The test split is loaded apart.

    Attributes:
        class_names: by class number. Each class has items in train.
    """

    train: Embeddings
    val: Embeddings
    class_names: tuple[str, ...]

    @cached_property
    def class_targets(self) -> Mapping[str, Tensor]:
        """The mean target of each class in train; space to (C, T, D)."""
        labels_N = self.train.labels_N
        return {
            space: torch.stack([target_NTD[labels_N == c].mean(dim=0) for c in range(len(self.class_names))])
            for space, target_NTD in self.train.targets.items()
        }

    @cached_property
    def blind_targets(self) -> Mapping[str, Tensor]:
        """The mean target of train, what a model predicts that ignores its input; space to (T, D)."""
        return {space: target_NTD.mean(dim=0) for space, target_NTD in self.train.targets.items()}
