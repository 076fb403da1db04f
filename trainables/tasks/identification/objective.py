"""The loss that the config asks for, on one distance matrix that mining shares: its settings in effect, its bounds."""

from dataclasses import dataclass

from torch import Tensor

from trainables.loop import Moment
from trainables.losses.active import fraction_of
from trainables.losses.bounds import Bounds, simplex_distance, sup_con_bounds
from trainables.losses.contrastive import contrastive_bounds, contrastive_loss
from trainables.losses.distances import cosine_distance, euclidean_distance
from trainables.losses.multi_similarity import (
    multi_similarity_bounds,
    multi_similarity_loss,
    multi_similarity_pairs,
)
from trainables.losses.similarity import Scalar
from trainables.losses.supcon import masked_sup_con
from trainables.losses.triplet import (
    batch_hard_triplet_loss,
    semi_hard_triplet_loss,
    triplet_bounds,
    triplet_loss,
)
from trainables.mining.strategies import NegativeMining
from trainables.tasks.identification.choices import MARGIN_LOSSES, Distance, LossKind
from trainables.tasks.identification.config import Config

_NAMES = {
    LossKind.SUPCON: "supcon",
    LossKind.CONTRASTIVE: "contrastive",
    LossKind.TRIPLET_BATCH_ALL: "triplet",
    LossKind.TRIPLET_BATCH_HARD: "triplet",
    LossKind.TRIPLET_SEMI_HARD: "triplet",
    LossKind.MULTI_SIMILARITY: "multi_similarity",
}
_TRIPLETS = {
    LossKind.TRIPLET_BATCH_ALL: triplet_loss,
    LossKind.TRIPLET_BATCH_HARD: batch_hard_triplet_loss,
    LossKind.TRIPLET_SEMI_HARD: semi_hard_triplet_loss,
}


@dataclass(frozen=True, slots=True)
class Objective:
    """One loss at one moment.

    Attributes:
        kind: which loss.
        distance: how far embeddings are apart; cosine for the losses that work on cosines.
        temperature: for SupCon.
        margin: for contrastive and triplet losses, and the width of the semi-hard window.
        alpha, beta, base, epsilon: Multi-Similarity's settings.

    All of them are tensors where trials are fused; bounds are of numbers alone.
    """

    kind: LossKind
    distance: Distance
    temperature: Scalar
    margin: Scalar
    alpha: Scalar
    beta: Scalar
    base: Scalar
    epsilon: Scalar

    @property
    def name(self) -> str:
        """What the loss is reported as."""
        return _NAMES[self.kind]

    def distances(self, rows_AD: Tensor, columns_ND: Tensor) -> Tensor:
        """Between unit embeddings, (A, N)."""
        if self.distance is Distance.EUCLIDEAN:
            return euclidean_distance(rows_AD, columns_ND)
        return cosine_distance(rows_AD, columns_ND)

    def loss(
        self, distance_AN: Tensor, *, positive_AN: Tensor, negative_AN: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss over the pairs of the masks, and the share of them that still count, without `train/`."""
        positive_AN, negative_AN = (mask.to(distance_AN.device) for mask in (positive_AN, negative_AN))
        match self.kind:
            case LossKind.SUPCON:
                loss = masked_sup_con(
                    1 - distance_AN, positive_AN=positive_AN, negative_AN=negative_AN, temperature=self.temperature
                )
                return loss, {}
            case LossKind.MULTI_SIMILARITY:
                return self._multi_similarity(1 - distance_AN, positive_AN, negative_AN)
            case LossKind.CONTRASTIVE:
                scores = contrastive_loss(
                    distance_AN, positive_AN=positive_AN, negative_AN=negative_AN, negative_margin=self.margin
                )
                return scores.loss, {"active_negative_fraction": scores.active_fraction}
        triplets = _TRIPLETS[self.kind]
        scores = triplets(distance_AN, positive_AN=positive_AN, negative_AN=negative_AN, margin=self.margin)
        return scores.loss, {"active_triplet_fraction": scores.active_fraction}

    def _multi_similarity(
        self, similarity_AN: Tensor, positive_AN: Tensor, negative_AN: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        kept_positive_AN, kept_negative_AN = multi_similarity_pairs(
            similarity_AN, positive_AN=positive_AN, negative_AN=negative_AN, epsilon=self.epsilon
        )
        loss = multi_similarity_loss(
            similarity_AN,
            positive_AN=kept_positive_AN,
            negative_AN=kept_negative_AN,
            alpha=self.alpha,
            beta=self.beta,
            base=self.base,
        )
        return loss, {"active_negative_fraction": fraction_of(kept_negative_AN, negative_AN)}

    def bounds(self, batch_size: int, *, num_people: int) -> Bounds:
        """Chance and floor over all pairs of a batch. Args: num_people: in the batch, two or more."""
        records = batch_size / num_people
        reach = simplex_distance(num_people, euclidean=self.distance is Distance.EUCLIDEAN)
        match self.kind:
            case LossKind.SUPCON:
                return sup_con_bounds(batch_size, float(self.temperature), items_per_class=records)
            case LossKind.MULTI_SIMILARITY:
                return multi_similarity_bounds(
                    num_positives=records - 1,
                    num_negatives=batch_size - records,
                    num_classes=num_people,
                    mined=True,
                    alpha=float(self.alpha),
                    beta=float(self.beta),
                    base=float(self.base),
                )
            case LossKind.CONTRASTIVE:
                return contrastive_bounds(negative_margin=float(self.margin), reach=reach)
            case _:
                return triplet_bounds(margin=float(self.margin), reach=reach)

    def effective(self) -> dict[str, Scalar]:
        """The setting in effect, for the record."""
        if self.kind is LossKind.SUPCON:
            return {"temperature": self.temperature}
        return {"margin": self.margin} if self.kind in MARGIN_LOSSES else {}


def scalars_at(config: Config, moment: Moment) -> dict[str, float]:
    """The numbers of the loss at `moment`, from the schedules."""
    sharpness = config.multi_similarity
    return {
        "temperature": config.temperature.at(moment.epoch, epochs=moment.epochs),
        "margin": config.margin.at(moment.epoch, epochs=moment.epochs),
        "alpha": sharpness.alpha,
        "beta": sharpness.beta,
        "base": sharpness.base,
        "epsilon": sharpness.epsilon,
    }


def objective_at(config: Config, moment: Moment) -> Objective:
    """The loss at `moment`; its numbers are those of `moment`, if it has them."""
    return Objective(
        kind=config.loss,
        distance=config.distance if config.loss in MARGIN_LOSSES else Distance.COSINE,
        **(moment.scalars or scalars_at(config, moment)),
    )


def needs_train_embeddings(config: Config, epoch: float) -> bool:
    """Whether mining after `epoch` epochs looks at the embedded train set."""
    stage = config.stage_at(epoch)
    if stage is None:
        return False
    if stage.negative is NegativeMining.FULL_HARD:
        return True
    return config.mining_embeddings.value == "epoch"
