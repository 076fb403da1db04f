"""What the identification task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 001's losses, mining and curriculum; the README beside this file explains each.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, model_validator

from trainables.config import Optimizer, StrictModel
from trainables.data.recordings.sources import RecordingSource, SimulatedSource, WindowKind, Windows
from trainables.mining.strategies import (
    NegativeMining,
    PositiveMining,
    Reason,
    Sampling,
    Stage,
    Window,
    check_curriculum,
    strategy_at,
)
from trainables.schedules import LearningRateKind, LearningRateSchedule, MarginSchedule, Schedule, ScheduleKind


class LossKind(StrEnum):
    """What is learned from the pairs of a batch; the last three choose among them themselves."""

    SUPCON = "supcon"
    CONTRASTIVE = "contrastive"
    TRIPLET_BATCH_ALL = "triplet_batch_all"
    TRIPLET_BATCH_HARD = "triplet_batch_hard"
    TRIPLET_SEMI_HARD = "triplet_semi_hard"
    MULTI_SIMILARITY = "multi_similarity"


class Negatives(StrEnum):
    """Which negatives of an anchor the loss gets: all of the batch, or one, chosen as `NegativeMining` says."""

    ALL = "all"
    RANDOM = "random"
    SEMI_HARD = "semi_hard"
    HARD = "hard"
    FULL_HARD = "full_hard"
    FARTHEST = "farthest"


class MiningEmbeddings(StrEnum):
    """What mining takes distances from."""

    BATCH = "batch"
    """The embeddings of the batch that the loss is computed from."""
    EPOCH = "epoch"
    """Those of the train set at the last refresh, with their age on record."""
    NONE = "none"
    """Nothing: every choice is random, whatever is asked for. Source note 001's fault, here to be recognised."""


class Distance(StrEnum):
    """How far two unit embeddings are apart."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


class Protocol(StrEnum):
    """Which of a person's other records a query may find; everybody else's are always in the gallery."""

    ALL = "all"
    SAME_DAY = "same_day"
    CROSS_DAY = "cross_day"


class Queries(StrEnum):
    """Whether a query without another record of its person is left out, or counted as missed.

    The latter is source note 001's error, which makes a good ranking look bad.
    """

    VALID = "valid"
    ALL = "all"


class Gallery(StrEnum):
    """Whose records are searched: those of val, or those of train too, as people to be confused with."""

    VAL = "val"
    ALL = "all"


class RecordEmbedding(StrEnum):
    """How a record is embedded for evaluation."""

    MEDIAN = "median"
    """The embedding of its median window."""
    MEAN = "mean"
    """The mean of the embeddings of its windows."""


class PairTemperature(Schedule):
    """What cosines are divided by in SupCon."""

    kind: ScheduleKind = ScheduleKind.CONSTANT
    start: float = Field(default=0.1, gt=0, le=100)
    end: float | None = Field(default=None, gt=0, le=100)


class PairMargin(MarginSchedule):
    """The distance beyond which negatives do not matter, or by which they must be farther than positives."""

    start: float = Field(default=0.3, gt=0, lt=2)
    end: float | None = Field(default=None, gt=0, lt=2)


class MultiSimilarity(StrictModel):
    """Multi-Similarity's own settings; the best ones differ widely between data sets."""

    alpha: float = Field(default=2.0, gt=0, le=1000, description="Sharpness among positives.")
    beta: float = Field(default=50.0, gt=0, le=1000, description="Sharpness among negatives.")
    base: float = Field(default=0.5, ge=-1, le=1, description="The cosine that separates both.")
    epsilon: float = Field(default=0.1, ge=0, le=2, description="How informative a pair must be to count.")


class Sizes(StrictModel):
    """Sizes of the encoder."""

    width: int = Field(default=32, ge=4, le=1024, multiple_of=4, description="Channels of the first convolution.")
    embedding: int = Field(default=64, ge=2, le=4096)


class Augment(StrictModel):
    """What happens to an item in training. Amplitude is not changed: the encoder does not see it."""

    windows_per_item: int = Field(
        default=8, ge=1, le=1000, description="An item is the median of that many random windows of a record."
    )
    shift_ms: float = Field(default=0.0, ge=0, le=1000, description="Largest random shift in time, either way.")
    stretch: float = Field(default=0.0, ge=0, le=0.5, description="Deviation of a random stretch after the R peak.")
    wander: float = Field(default=0.0, ge=0, le=10, description="Size of a random slow curve, in deviations.")
    noise: float = Field(default=0.05, ge=0, le=10, description="White noise, in deviations of the window.")


class Evaluation(StrictModel):
    """How val is measured."""

    protocol: Protocol = Protocol.ALL
    queries: Queries = Queries.VALID
    gallery: Gallery = Gallery.VAL
    record: RecordEmbedding = RecordEmbedding.MEDIAN


CHOOSING_LOSSES = (LossKind.TRIPLET_BATCH_HARD, LossKind.TRIPLET_SEMI_HARD, LossKind.MULTI_SIMILARITY)
"""Losses that choose their pairs themselves: what mining is asked for has no effect on them."""
MARGIN_LOSSES = (
    LossKind.CONTRASTIVE,
    LossKind.TRIPLET_BATCH_ALL,
    LossKind.TRIPLET_BATCH_HARD,
    LossKind.TRIPLET_SEMI_HARD,
)


class Config(StrictModel):
    """The identification task."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    batches_per_epoch: int = Field(default=30, ge=1, le=100_000)
    people_per_batch: int = Field(default=16, ge=2, le=10_000, description="P of the P x K sampler.")
    records_per_person: int = Field(
        default=4, ge=2, le=1000, description="K: at most so many records of a person, of whom there may be fewer."
    )
    sampling: Sampling = Sampling.DISTINCT
    optimizer: Optimizer = Optimizer(
        lr=1e-3,
        weight_decay=1e-2,
        max_grad_norm=10.0,
        schedule=LearningRateSchedule(kind=LearningRateKind.COSINE, end=0.0),
    )
    loss: LossKind = LossKind.SUPCON
    temperature: PairTemperature = PairTemperature()
    margin: PairMargin = PairMargin()
    distance: Distance = Distance.COSINE
    multi_similarity: MultiSimilarity = MultiSimilarity()
    negative_mining: Negatives = Negatives.ALL
    positive_mining: PositiveMining = PositiveMining.RANDOM
    curriculum: tuple[Stage, ...] = Field(
        default=(), description="Mining by epoch, in the place of negative_mining and positive_mining."
    )
    mining_embeddings: MiningEmbeddings = MiningEmbeddings.BATCH
    mining_window: Window = Field(default=Window.CHOSEN, description="Whose distance begins the semi-hard window.")
    mining_refresh_epochs: int = Field(
        default=1, ge=1, le=1000, description="The train set is embedded for mining every so many epochs."
    )
    memory_size: int = Field(default=0, ge=0, le=1_000_000, description="Past embeddings as candidates; 0 for none.")
    memory_warmup_steps: int = Field(default=0, ge=0, le=1_000_000, description="Steps before the memory is used.")
    sizes: Sizes = Sizes()
    augment: Augment = Augment()
    windows: Windows = Windows()
    evaluation: Evaluation = Evaluation()
    data: RecordingSource = SimulatedSource()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Mining by epoch; empty where the loss gets all pairs."""
        if self.loss in CHOOSING_LOSSES:
            return ()
        if self.curriculum:
            return self.curriculum
        if self.negative_mining is Negatives.ALL:
            return ()
        return (Stage(negative=NegativeMining(self.negative_mining.value), positive=self.positive_mining),)

    def stage_at(self, epoch: float) -> Stage | None:
        """Mining after `epoch` epochs; None where the loss gets all pairs."""
        return strategy_at(self.stages, epoch) if self.stages else None

    def unread(self) -> Mapping[str, str]:
        """What the loss and the mining in effect never look at."""
        return {**self._unread_of_the_loss(), **self._unread_of_mining()}

    def _unread_of_the_loss(self) -> dict[str, str]:
        why = f"when loss is {self.loss.value}"
        asked = {stage.negative for stage in self.stages}
        unread: dict[str, str] = {}
        if self.loss is not LossKind.SUPCON:
            unread["temperature"] = why
        if self.loss is not LossKind.MULTI_SIMILARITY:
            unread["multi_similarity"] = why
        if self.loss not in MARGIN_LOSSES:
            unread["distance"] = why
            if NegativeMining.SEMI_HARD not in asked:
                unread["margin"] = f"{why} and no semi-hard negatives are mined"
        return unread

    def _unread_of_mining(self) -> dict[str, str]:
        asked = {stage.negative for stage in self.stages}
        unread: dict[str, str] = {}
        if self.loss in CHOOSING_LOSSES:
            names = ("negative_mining", "positive_mining", "curriculum")
            unread |= dict.fromkeys(names, f"when loss is {self.loss.value}: it chooses its pairs itself")
        elif self.curriculum:
            unread |= dict.fromkeys(("negative_mining", "positive_mining"), "when there is a curriculum")
        elif not asked or asked == {NegativeMining.FULL_HARD}:
            unread["positive_mining"] = f"when negative_mining is {self.negative_mining.value}"
        if not asked - {NegativeMining.FULL_HARD}:
            unread["mining_embeddings"] = "when no negatives are mined among those of the batch"
        if NegativeMining.SEMI_HARD not in asked:
            unread["mining_window"] = "when no semi-hard negatives are mined"
        epoch_wise = "mining_embeddings" not in unread and self.mining_embeddings is MiningEmbeddings.EPOCH
        if NegativeMining.FULL_HARD not in asked and not epoch_wise:
            unread["mining_refresh_epochs"] = "when mining does not need the train set embedded"
        if asked == {NegativeMining.FULL_HARD}:
            unread["memory_size"] = "when negative_mining is full_hard: it looks at the whole train set"
        if not self.memory_size or "memory_size" in unread:
            unread["memory_warmup_steps"] = "when there is no memory"
        return unread

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        if self.curriculum:
            check_curriculum(self.curriculum)
        schedules: dict[str, Schedule] = {
            "temperature": self.temperature,
            "margin": self.margin,
            "optimizer.schedule": self.optimizer.schedule,
        }
        for name, schedule in schedules.items():
            if schedule.warmup_epochs >= self.epochs:
                raise ValueError(
                    f"{name}.warmup_epochs is {schedule.warmup_epochs:g}: it must be below epochs, {self.epochs}"
                )
        batch_size = self.people_per_batch * self.records_per_person
        if self.memory_size and self.memory_size < batch_size:
            raise ValueError(f"memory_size is {self.memory_size}: it must hold a batch, {batch_size}, or be 0")
        if self.windows.kind is WindowKind.FIXED and (
            self.augment.windows_per_item > 1 or self.evaluation.record is RecordEmbedding.MEDIAN
        ):
            raise ValueError(
                "windows.kind is fixed: their median means nothing, "
                "so augment.windows_per_item must be 1 and evaluation.record mean"
            )
        return self


def _by_protocol(name: str, meaning: str) -> dict[str, str]:
    return {
        f"val/{name}": f"{meaning}, in the protocol that is asked for",
        f"val/{name}_same_day": f"{meaning}, finding records of the same day",
        f"val/{name}_cross_day": f"{meaning}, finding records of another day",
    }


METRICS: Mapping[str, str] = {
    **_by_protocol("rank_at_1", "share of queries whose nearest record is of their person"),
    "val/rank_at_5": "the same within the first 5",
    "val/rank_at_10": "the same within the first 10",
    **_by_protocol("chance_rank_at_1", "Rank@1 of a random ranking"),
    "val/chance_rank_at_5": "Rank@5 of a random ranking",
    "val/chance_rank_at_10": "Rank@10 of a random ranking",
    **_by_protocol("raw_rank_at_1", "Rank@1 of the median beats themselves, by cosine; measured once, at step 0"),
    "val/mean_average_precision": "mean over queries of the precision at each of their person's records",
    "val/chance_mean_average_precision": "the same of a random ranking",
    "val/map_at_r": "as mean_average_precision, over as many first places as there are records to find",
    "val/chance_map_at_r": "the same of a random ranking",
    **_by_protocol("num_queries", "queries with a record to find"),
    **_by_protocol("num_excluded_queries", "queries without one; left out, unless evaluation.queries is all"),
    "val/gallery_size": "records that a query is compared with, mean",
    "val/auc": "area under the ROC curve of pairs of records: same person or not",
    "val/eer": "error rate of that question where both kinds of error are as frequent",
    "val/intra_distance": "mean distance of records of one person, over all of val",
    "val/inter_distance": "mean distance of records of different people, over all of val",
    "val/distance_ratio": "inter over intra distance, over all of val",
    "val/nearest_negative_distance": "mean distance to the nearest record of somebody else",
    "val/closer_positive_fraction": "share of a person's other records that are nearer than anybody else's",
    "val/nearest_neighbor_accuracy": "share of records whose nearest other record is of their person",
    "val/calinski_harabasz": "spread between people over spread within",
    "val/calinski_harabasz_chance": "the same with shuffled labels",
    "val/davies_bouldin": "mean overlap of each person with the most similar one; 0 at collapse",
    "val/davies_bouldin_chance": "the same with shuffled labels",
    "val/resultant_length": "norm of the mean embedding; 1 is collapse to a point",
    "val/mean_cosine": "mean cosine of all pairs",
    "val/matched_cosine": "mean cosine of records of one person",
    "val/unmatched_cosine": "mean cosine of records of different people",
    "val/effective_rank": "effective number of dimensions in use",
    "val/effective_rank_centred": "the same after subtracting the mean embedding",
    "val/top_variance_fraction": "share of the variance along the first axis",
    "val/embedding_size": "dimensions that there are",
    "val/num_excluded_records": "records left out because they cannot be used (data.bad_records: exclude)",
    "train/num_excluded_records": "the same among the training records",
    "train/num_excluded_people": "people with one record only: nothing to learn likeness from, so in no batch",
    "train/rank_at_1": "Rank@1 among the training records, whatever their day",
    **{
        f"{split}/{name}_loss": f"{name} loss on {where}"
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
        for split, where in (
            ("train", "the pairs that mining left"),
            ("val", "all pairs of batches like the training's"),
        )
    },
    **{
        f"val/{name}_{bound}": meaning
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
        for bound, meaning in (
            ("chance", "its value when all embeddings are equal"),
            ("floor", "the lowest value that it can have"),
            ("position", "0 at the floor, 1 at chance"),
        )
    },
    "train/loss": "the loss, mean over the epoch's steps",
    **{
        f"train/{share}_share_{name}": "1: there is one loss"
        for share in ("weight", "loss", "grad")
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
    },
    "train/intra_distance": "mean distance of the positive pairs that the loss was given; says nothing of neighbours",
    "train/inter_distance": "mean distance of the negative pairs that the loss was given",
    "train/distance_ratio": "the latter over the former",
    "train/active_negative_fraction": "share of negatives within the margin, or kept by Multi-Similarity",
    "train/active_triplet_fraction": "share of triplets within the margin",
    "train/mining_strategy": "the strategy asked for: 0 random, 1 semi_hard, 2 hard, 3 full_hard, 4 farthest",
    "train/mining_requested_fraction": "share of anchors for which it could be followed",
    **{
        f"train/mining_fallback_{reason.value}": f"share of anchors for which it could not: {reason.value}"
        for reason in Reason
        if reason is not Reason.AS_REQUESTED
    },
    "train/negative_percentile": "place of the chosen negative among the candidates: 0 nearest, 1 farthest",
    "train/mining_pool_size": "negatives that an anchor could choose from, mean",
    "train/embedding_age_steps": "steps since the embedding of the chosen negative was computed, mean",
    "train/memory_size": "embeddings in the memory, mean",
    "train/memory_age_steps": "steps since they were computed, mean",
    "train/distinct_items_fraction": "distinct records over places in a batch",
    "train/classes_per_batch": "people in a batch",
    "train/anchors_without_positive_fraction": "share of places whose person has no other record in the batch",
    "train/positives_per_anchor": "other records of the person in the batch, mean",
    "train/temperature": "temperature in effect",
    "train/margin": "margin in effect",
    "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
    "train/grad_norm_max": "the largest of the epoch",
    "train/grad_norm_encoder": "the same as grad_norm: there is one part",
    "train/clipped_fraction": "share of the steps whose gradient was scaled down",
    "train/update_ratio": "norm of the first step's change of the parameters over their norm",
    "train/num_skipped_batches": "batches without a single pair to learn from",
    "train/lr": "learning rate in effect",
}
"""Every metric that the task may report, with its meaning. Not all apply to each loss and each mining."""
