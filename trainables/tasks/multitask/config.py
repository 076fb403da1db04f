"""What the multitask task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 002's weights, temperatures and clipping; the README beside this file explains each.
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, model_validator

from trainables.config import Optimizer, StrictModel, loop_metrics, schedule_roles
from trainables.contract import Fusing
from trainables.data.pairs.sources import AngiogramSource, PairSource
from trainables.losses.bounds import kept_negatives
from trainables.roles import (
    BatchSize,
    Contrast,
    Convention,
    EvaluatedItems,
    HardNegatives,
    ItemsPerClass,
    LossWeight,
    Margin,
    MarginKind,
    Measure,
    Role,
)
from trainables.roles import Temperature as TemperatureRole
from trainables.schedules import MarginSchedule, Schedule, Temperature, check_warmups


class ContrastiveKind(StrEnum):
    """Which contrastive loss aligns videos and texts."""

    CLIP = "clip"
    SIGLIP = "siglip"
    SUPCON = "supcon"
    GATED_SOFTMAX = "gated_softmax"
    """What note 002 took for SigLIP: wrong, here to be compared with."""


class StemKind(StrEnum):
    """The convolutions that turn pictures into tokens."""

    LIGHT = "light"
    """Three convolutions."""
    DEEP = "deep"
    """Five, wider and normalised: twice the cost, and better at classes that were never seen."""


class LossWeights(StrictModel):
    """Factors in the total loss; 0 turns a task off in training; it is still measured."""

    contrastive: float = Field(default=2.0, ge=0, le=100)
    captioning: float = Field(default=0.3, ge=0, le=100)
    masked_modeling: float = Field(default=0.1, ge=0, le=100)
    patch_contrastive: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="A second contrastive loss, mean patch against the same text; it interferes.",
    )
    class_contrastive: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="The videos of a batch among themselves: those of one class attract. Needs a source with classes.",
    )


MAIN_PARTS = ("contrastive", "class_contrastive")
"""What the embeddings are for; the other parts help."""


class Siglip(StrictModel):
    """Where SigLIP's own learned scale and bias begin: logits are `scale * cosine + bias`."""

    scale: float = Field(default=10.0, gt=0, le=1000)
    bias: float = Field(default=-10.0, ge=-100, le=100)


class Sizes(StrictModel):
    """Sizes of the networks."""

    width: int = Field(default=64, ge=16, le=1024, multiple_of=16, description="Channels of a token.")
    embedding: int = Field(default=64, ge=4, le=1024, description="Dimensions of the shared space.")
    stem: StemKind = StemKind.LIGHT
    video_layers: int = Field(default=1, ge=0, le=12)
    text_layers: int = Field(default=1, ge=0, le=12)
    decoder_layers: int = Field(default=1, ge=1, le=12)
    heads: int = Field(default=4, ge=1, le=16)


class Masking(StrictModel):
    """Masked modelling: hide patches of the video and reconstruct them from the rest."""

    ratio: float = Field(default=0.5, gt=0, lt=1, description="Share of the patches that is hidden.")
    batch_fraction: float = Field(
        default=0.5, gt=0, le=1, description="Share of each batch that is masked; costs time."
    )


class Evaluation(StrictModel):
    """How much of the validation set the costly measurements see."""

    num_captions: int = Field(default=64, ge=0, le=10_000, description="Items that get a generated text; 0 for none.")
    caption_tokens: int = Field(
        default=40, ge=1, le=1000, description="A generated text is cut after this many tokens."
    )


class Config(StrictModel):
    """The multitask task."""

    epochs: int = Field(default=10, ge=1, le=100_000)
    batch_size: int = Field(default=32, ge=2, le=65_536)
    items_per_class: int = Field(
        default=1, ge=1, le=1000, description="Items of each class in a batch; 1 shuffles without regard to classes."
    )
    optimizer: Optimizer = Optimizer()
    loss_weights: LossWeights = LossWeights()
    contrastive: ContrastiveKind = ContrastiveKind.CLIP
    temperature: Temperature = Temperature()
    margin: MarginSchedule = MarginSchedule()
    hard_negative_ratio: float = Field(
        default=1.0, gt=0, le=1, description="Share of the negatives, hardest first, that the contrastive loss keeps."
    )
    siglip: Siglip = Siglip()
    warp: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="Size of random turns, stretches and shifts of training videos; 0 for none.",
    )
    sizes: Sizes = Sizes()
    masking: Masking = Masking()
    evaluation: Evaluation = Evaluation()
    data: PairSource = AngiogramSource()

    def unread(self) -> Mapping[str, str]:
        """SigLIP has its own scale and bias in the place of a temperature; the gated softmax has nothing else."""
        why = f"when contrastive is {self.contrastive.value}"
        match self.contrastive:
            case ContrastiveKind.SIGLIP:
                return {"temperature": f"{why}: it has siglip.scale"}
            case ContrastiveKind.GATED_SOFTMAX:
                return dict.fromkeys(("siglip", "margin", "hard_negative_ratio"), why)
            case _:
                return {"siglip": why}

    def roles(self) -> Mapping[str, Role]:
        """What the keys mean with this contrastive loss."""
        roles: dict[str, Role] = {
            "batch_size": BatchSize(),
            **self.optimizer.roles("optimizer", epochs=self.epochs),
            **{
                f"loss_weights.{part}": LossWeight(part, is_main=part in MAIN_PARTS)
                for part in LossWeights.model_fields
            },
            **self._roles_of_the_contrast(),
        }
        if isinstance(self.data, AngiogramSource):
            roles["data.num_val"] = EvaluatedItems(self.data.num_val)
        if self.items_per_class > 1:
            roles["items_per_class"] = ItemsPerClass(self.items_per_class, self.data.train_sizes)
        return roles

    def _roles_of_the_contrast(self) -> dict[str, Role]:
        if self.contrastive is ContrastiveKind.GATED_SOFTMAX:
            return schedule_roles("temperature", self.temperature, TemperatureRole(Contrast.OTHER))
        available = self.batch_size - self.items_per_class
        kept = kept_negatives(available, self.hard_negative_ratio)
        margin = Margin(MarginKind.LOGIT, Measure.COSINE, self.batch_size / self.items_per_class)
        roles = schedule_roles("margin", self.margin, margin)
        roles["hard_negative_ratio"] = HardNegatives(kept=kept, available=available)
        if self.contrastive is ContrastiveKind.SIGLIP:
            return roles | {"siglip.scale": TemperatureRole(Contrast.SIGLIP, Convention.MULTIPLIES)}
        supcon = self.contrastive is ContrastiveKind.SUPCON
        sharpness = TemperatureRole(
            Contrast.SUPCON if supcon else Contrast.CLIP,
            batch_size=self.batch_size,
            items_per_class=self.items_per_class if supcon else 1,
            margin=self.margin.start,
            kept_fraction=self.hard_negative_ratio,
        )
        return roles | schedule_roles("temperature", self.temperature, sharpness)

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        if self.sizes.width % self.sizes.heads:
            raise ValueError(
                f"sizes.width is {self.sizes.width}: it must be a multiple of sizes.heads, {self.sizes.heads}"
            )
        schedules: dict[str, Schedule] = {
            "temperature": self.temperature,
            "margin": self.margin,
            "optimizer.schedule": self.optimizer.schedule,
        }
        check_warmups(schedules, epochs=self.epochs)
        if sum(self.loss_weights.model_dump().values()) == 0:
            raise ValueError("loss_weights are all 0: nothing would be learned")
        return self

    @model_validator(mode="after")
    def _has_the_classes_that_it_needs(self) -> "Config":
        needs = {"loss_weights.class_contrastive": self.loss_weights.class_contrastive > 0}
        needs["items_per_class"] = self.items_per_class > 1
        for name in (name for name, needed in needs.items() if needed and not self.data.has_classes):
            raise ValueError(f"{name} needs a source with classes: data.source {self.data.source} has none")
        if self.batch_size % self.items_per_class or self.batch_size == self.items_per_class > 1:
            raise ValueError(
                f"batch_size is {self.batch_size}: it must be several times items_per_class, {self.items_per_class}"
            )
        return self


FUSING = Fusing(
    varies=(
        "optimizer.*",
        "temperature.start",
        "temperature.end",
        "temperature.warmup_epochs",
        "margin.*",
        "hard_negative_ratio",
        "siglip.*",
    ),
    weights=("loss_weights.*",),
)


METRICS: Mapping[str, str] = {
    "val/recall_at_1": "share of queries whose match is ranked first, mean of both directions; equal texts match",
    "val/recall_at_5": "the same within the first 5",
    "val/recall_at_10": "the same within the first 10",
    **{
        f"val/recall_at_{k}_{direction}": f"recall at {k}, {direction.replace('_', ' ')}"
        for k in (1, 5, 10)
        for direction in ("video_to_text", "text_to_video")
    },
    "val/chance_recall_at_1": "recall at 1 of a random ranking",
    "val/num_queries": "queries that have a match",
    "val/num_excluded_queries": "queries without one, left out",
    "val/batch_recall_at_1": "recall at 1 within batches of the training's size and make",
    "train/batch_recall_at_1": "the same on the training batches as they come; far above val's is overfitting",
    "val/matched_cosine": "mean cosine of a video and its own text",
    "val/unmatched_cosine": "mean cosine of a video and texts of other meaning",
    "val/mean_cosine": "mean cosine within a tower, the larger of both; 1 is collapse to a point",
    "val/resultant_length": "norm of the mean embedding, the larger of both towers; 1 is collapse to a point",
    "val/effective_rank": "effective number of dimensions in use, the smaller of both towers",
    "val/effective_rank_centred": "the same around the mean embedding; small is collapse to few dimensions",
    "val/top_variance_fraction": "share of the variance along one direction, the larger of both towers",
    "val/embedding_size": "dimensions of the shared space",
    "val/contrastive_loss": "contrastive loss at the training batch size",
    "val/contrastive_chance": "its value when all pairs look alike (ln B for clip)",
    "val/contrastive_floor": "the lowest value that it can have at this temperature and batch size",
    "val/contrastive_position": "0 at the floor, 1 at chance",
    "val/captioning_loss": "cross-entropy per token of the true text",
    "val/captioning_chance": "its value when all words are equally likely; its floor is 0",
    "val/masked_modeling_loss": "squared error on hidden patches, in units of the training videos' variance",
    "val/masked_modeling_chance": "its value when the mean grey is predicted everywhere, 1; its floor is 0",
    "val/bleu": "BLEU of generated texts, 0 to 100 (sacrebleu)",
    "val/rouge_l": "ROUGE-L F of generated texts, 0 to 1 (rouge-score)",
    "val/stenosis_recall": "share of the true (segment, percent) findings that the generated texts name",
    "val/stenosis_precision": "share of the findings named by generated texts that are true",
    "val/stenosis_mae": "mean absolute error in percentage points where the segment is right",
    "val/stenosis_segment_recall": "share of the true findings whose segment is named, with any percentage",
    "val/class_contrastive_loss": "supervised contrast of the val videos, in batches of the training's size and make",
    "val/class_contrastive_chance": "its value when all videos look alike, about ln(B - 1)",
    "val/class_contrastive_floor": "the lowest value that it can have at this temperature and batch",
    "val/class_contrastive_position": "0 at the floor, 1 at chance",
    "val/class_recall_at_1": "Omniglot: nearest other image, by video embedding, is of the same character",
    "val/num_class_queries": "images with another one of the same character",
    "val/num_excluded_class_queries": "images without one, left out of the class recall",
    "val/chance_class_recall_at_1": "Omniglot: the same of a random ranking",
    "val/raw_pixel_recall_at_1": "Omniglot: the same by cosine of raw pixels; measured once, at step 0",
    **loop_metrics(LossWeights.model_fields, groups=("video", "text", "decoder", "heads")),
    "train/temperature": "temperature in effect (for siglip 1 / scale)",
    "train/margin": "margin in effect",
    "train/hard_negative_ratio": "share of negatives in effect",
    "train/positives_per_anchor": "other items of the same class in a batch",
    "train/anchors_without_positive_fraction": "share of a batch's items that have none",
    "train/num_excluded_items": "training items of classes with fewer than items_per_class, in no batch",
}
"""Every metric that the task may report, with its meaning. Not all apply to each data source or loss."""
