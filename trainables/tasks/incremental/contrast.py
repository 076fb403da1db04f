"""The contrastive terms of a batch of two views: InfoNCE, ANT and the gap, and what is measured on the way."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.losses.ant import AntPairs, ant_floor, ant_loss, ant_pairs, violation_rate
from trainables.losses.ant_form import AntForm
from trainables.losses.bounds import Bounds, sup_con_bounds
from trainables.losses.gap import gap_loss, mean_gap
from trainables.losses.similarity import Scalar, cosine_matrix, diagonal_mask
from trainables.losses.supcon import masked_sup_con
from trainables.metrics.incremental import ContrastCosines, contrast_cosines
from trainables.tasks.incremental.config import Config, MarginKind, Positives


@dataclass(frozen=True, slots=True)
class Views:
    """Embeddings of two views of B items, V = 2B; rows i and i + B are views of one item.

    Attributes:
        groups_V: views of one group are positives, those of different groups negatives.
    """

    z_VD: Tensor
    groups_V: Tensor
    similarity_VV: Tensor
    positive_VV: Tensor
    negative_VV: Tensor

    @classmethod
    def of(cls, z_VD: Tensor, labels_B: Tensor, *, positives: Positives) -> "Views":
        """Args: labels_B: class of each item."""
        items_B = torch.arange(len(labels_B), device=z_VD.device)
        groups_V = (items_B if positives is Positives.VIEWS else labels_B).repeat(2)
        similarity_VV = cosine_matrix(z_VD, z_VD)
        same_VV = groups_V[:, None] == groups_V
        positive_VV = same_VV & ~diagonal_mask(similarity_VV)
        return cls(z_VD, groups_V, similarity_VV, positive_VV, negative_VV=~same_VV)

    def nce(self, *, temperature: Scalar) -> Tensor:
        """InfoNCE over all views; NT-Xent where the other view is the only positive."""
        return masked_sup_con(
            self.similarity_VV, positive_AN=self.positive_VV, negative_AN=self.negative_VV, temperature=temperature
        )

    def nce_bounds(self, *, temperature: float) -> Bounds | None:
        """For groups of the mean size; None where there is one group only."""
        num, size = len(self.groups_V), 1 + float(self.positive_VV.sum()) / len(self.groups_V)
        return sup_con_bounds(num, temperature, items_per_class=size) if size < num else None

    def gap(self) -> Tensor:
        """Mean positive minus mean negative cosine."""
        return mean_gap(self.similarity_VV, positive_AN=self.positive_VV, negative_AN=self.negative_VV)

    def gap_loss(self, *, target: Scalar) -> Tensor:
        """What the gap lacks."""
        return gap_loss(self.similarity_VV, positive_AN=self.positive_VV, negative_AN=self.negative_VV, target=target)

    def cosines(self) -> ContrastCosines | None:
        """None in a batch of one group."""
        return contrast_cosines(self.similarity_VV, positive_AN=self.positive_VV, negative_AN=self.negative_VV)


@dataclass(frozen=True, slots=True)
class AntInEffect:
    """ANT on one batch at one moment."""

    pairs: AntPairs
    form: AntForm
    margin: Scalar
    ratio: Scalar

    def loss(self) -> Tensor:
        """A scalar with a graph."""
        return ant_loss(self.pairs, margin=self.margin, form=self.form, hard_negative_ratio=self.ratio)

    def measured(self, loss: Tensor) -> dict[str, Scalar]:
        """By metric name, without prefix."""
        floor = ant_floor(self.pairs, form=self.form, hard_negative_ratio=self.ratio).detach().double()
        return {
            "ant_floor": floor,
            "ant_excess": loss.detach().double() - floor,
            "violation_rate": violation_rate(self.pairs, margin=self.margin, form=self.form),
            "margin": self.margin,
            "hard_negative_ratio": self.ratio,
        }


def scalars_at(config: Config, *, epoch: float) -> dict[str, float]:
    """The numbers of the terms that have a weight, as they are `epoch` epochs into a step; lanes may differ in them."""
    weights = config.loss_weights
    scalars = {f"weight.{term}": weight for term, weight in weights}
    if weights.nce:
        scalars["temperature"] = config.temperature
    if weights.ant:
        scalars["margin"] = config.margin.at(epoch, epochs=config.epochs_per_step)
        scalars["hard_negative_ratio"] = config.hard_negative_ratio
        if config.margin.kind is MarginKind.GAP_ADAPTIVE:
            scalars["gap_fraction"] = config.margin.gap_fraction
    if weights.gap:
        scalars["gap_target"] = config.gap_target
    return scalars


def ant_in_effect(config: Config, views: Views, scalars: Mapping[str, Scalar]) -> AntInEffect:
    """Args: scalars: `scalars_at`, or those of a lane."""
    margin = scalars["margin"]
    if config.margin.kind is MarginKind.GAP_ADAPTIVE:
        # An untrained gap may be negative, and a negative margin keeps nothing at all.
        allowed = scalars["gap_fraction"] * views.gap().detach().double()
        margin = torch.minimum(torch.as_tensor(margin, dtype=torch.float64), allowed).clamp(min=0.0)
    pairs = ant_pairs(views.z_VD, views.groups_V, form=config.ant)
    return AntInEffect(pairs, config.ant, margin=margin, ratio=scalars["hard_negative_ratio"])
