"""What the identification task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 001's losses, mining and curriculum; the README beside this file explains each.
"""

from collections.abc import Mapping

from pydantic import Field, model_validator

from trainables.config import Optimizer, StrictModel, schedule_roles
from trainables.contract import Fusing
from trainables.data.recordings.sources import RecordingSource, SimulatedSource, WindowKind, Windows
from trainables.mining.strategies import (
    NegativeMining,
    PositiveMining,
    Sampling,
    Stage,
    Window,
    check_curriculum,
    strategy_at,
)
from trainables.roles import (
    ClassesPerBatch,
    Contrast,
    EvaluatedItems,
    HardNegatives,
    ItemsPerClass,
    Margin,
    MarginKind,
    Measure,
    Role,
    ScheduleEnd,
    Sharpness,
    Side,
    Temperature,
)
from trainables.schedules import (
    LearningRateKind,
    LearningRateSchedule,
    MarginSchedule,
    Schedule,
    ScheduleKind,
    check_warmups,
)
from trainables.tasks.identification.choices import (
    CHOOSING_LOSSES,
    MARGIN_LOSSES,
    Distance,
    Gallery,
    LossKind,
    MiningEmbeddings,
    Negatives,
    Protocol,
    Queries,
    RecordEmbedding,
)
from trainables.tasks.identification.reported import METRICS

__all__ = ["FUSING", "METRICS", "Config"]


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


class EncoderOptimizer(Optimizer):
    """AdamW for the encoder; the rate falls to 0 along a cosine."""

    lr: float = Field(default=1e-3, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=1e-2, ge=0, le=10)
    max_grad_norm: float = Field(default=10.0, gt=0, description="Gradients are scaled down to this norm.")
    schedule: LearningRateSchedule = LearningRateSchedule(kind=LearningRateKind.COSINE, end=0.0)


class Config(StrictModel):
    """The identification task."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    batches_per_epoch: int = Field(default=30, ge=1, le=100_000)
    people_per_batch: int = Field(default=16, ge=2, le=10_000, description="P of the P x K sampler.")
    records_per_person: int = Field(
        default=4, ge=2, le=1000, description="K: at most so many records of a person, of whom there may be fewer."
    )
    sampling: Sampling = Sampling.DISTINCT
    optimizer: EncoderOptimizer = EncoderOptimizer()
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

    def roles(self) -> Mapping[str, Role]:
        """What the keys mean with this loss and this mining."""
        data, repeats = self.data.train_sizes, self.sampling is Sampling.WITH_REPLACEMENT
        return {
            **self.optimizer.roles("optimizer", epochs=self.epochs),
            "people_per_batch": ClassesPerBatch(self.people_per_batch, data),
            "records_per_person": ItemsPerClass(self.records_per_person, data, repeats),
            **self._roles_of_the_loss(),
            **self._roles_of_mining(),
            **self._roles_of_the_data(),
        }

    def _roles_of_the_loss(self) -> dict[str, Role]:
        if self.loss is LossKind.MULTI_SIMILARITY:
            sides = {"alpha": Side.POSITIVES, "beta": Side.NEGATIVES}
            return {f"multi_similarity.{name}": Sharpness(side) for name, side in sides.items()}
        if self.loss is LossKind.SUPCON:
            rows, records = self.people_per_batch * self._typical_records, self._typical_records
            role = Temperature(Contrast.SUPCON, batch_size=rows, items_per_class=records, one_modality=True)
            return schedule_roles("temperature", self.temperature, role)
        kind = MarginKind.CONTRASTIVE_NEGATIVE if self.loss is LossKind.CONTRASTIVE else MarginKind.TRIPLET
        measure = Measure.EUCLIDEAN if self.distance is Distance.EUCLIDEAN else Measure.COSINE
        return schedule_roles("margin", self.margin, Margin(kind, measure, self.people_per_batch))

    def _roles_of_the_data(self) -> dict[str, Role]:
        if not isinstance(self.data, SimulatedSource):
            return {}
        return {"data.num_val": EvaluatedItems(self.data.num_val * self.data.train_sizes.typical)}

    @property
    def _typical_records(self) -> int:
        """Records of a person in a batch."""
        data = self.data.train_sizes
        return self.records_per_person if data is None else min(self.records_per_person, max(2, data.typical))

    def _roles_of_mining(self) -> dict[str, Role]:
        roles: dict[str, Role] = {}
        if self.stages and self.stages[0].negative in (NegativeMining.HARD, NegativeMining.FULL_HARD):
            available = (self.people_per_batch - 1) * self._typical_records
            roles["curriculum" if self.curriculum else "negative_mining"] = HardNegatives(1, available)
        elif self.curriculum and "curriculum" not in self.unread():
            last = self.curriculum[-1].from_epoch
            roles["curriculum"] = ScheduleEnd("the first epoch of its last stage ends", at=last + 1, within=self.epochs)
        if "memory_warmup_steps" not in self.unread():
            steps = self.epochs * self.batches_per_epoch
            what, at = "the memory is first used", self.memory_warmup_steps + 1
            roles["memory_warmup_steps"] = ScheduleEnd(what, at=at, within=steps, unit="steps")
        return roles

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        if self.curriculum:
            check_curriculum(self.curriculum)
        schedules: dict[str, Schedule] = {
            "temperature": self.temperature,
            "margin": self.margin,
            "optimizer.schedule": self.optimizer.schedule,
        }
        check_warmups(schedules, epochs=self.epochs)
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


def _why_not_fused(config: Config) -> str:
    if config.stages:
        return "negatives are mined: each trial would choose pairs of its own by its embeddings"
    return "memory_size is not 0: each trial would have a memory of its own" if config.memory_size else ""


FUSING = Fusing(varies=("optimizer.*", "temperature.*", "margin.*", "multi_similarity.*"), refuse=_why_not_fused)
