"""What the incremental task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 003's margins, schedules and weights; the README beside this file explains each.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations
from typing import Self

from pydantic import Field, model_validator

from trainables.config import Optimizer, StrictModel
from trainables.contract import Fusing
from trainables.data.images.sources import DigitsSource, ImageSource, OmniglotCharacters
from trainables.losses.ant_form import AntForm, Coverage
from trainables.losses.bounds import kept_negatives
from trainables.roles import AntMargin, BatchSize, Contrast, HardNegatives, LossWeight, Role, ScheduleEnd, Temperature
from trainables.schedules import LearningRateSchedule, ScheduleKind, check_warmups

MAX_STEPS = 50
"""Most tasks that a stream may have: each has a metric of its own."""


class Positives(StrEnum):
    """What an anchor is drawn to."""

    CLASSES = "classes"
    """Both views of all items of its class (supervised contrast)."""
    VIEWS = "views"
    """The other view of the same item alone (NT-Xent); items of its class count as negatives."""


class Classifier(StrEnum):
    """How val items get a class."""

    NEAREST_MEAN = "nearest_mean"
    """The class whose mean embedding is nearest by cosine."""
    LINEAR = "linear"
    """A linear layer on the embedding, trained by cross-entropy over the classes seen so far."""


class Choice(StrEnum):
    """Which items of a class are kept as its exemplars."""

    HERDING = "herding"
    RANDOM = "random"


class MarginKind(StrEnum):
    """How ANT's margin moves over the epochs of each step."""

    FIXED = "fixed"
    """`start`."""
    LINEAR = "linear"
    """From `start` to `end` over `ramp_epochs`, then `end`."""
    GAP_ADAPTIVE = "gap_adaptive"
    """As linear, but at most `gap_fraction` of the batch's gap, and at least 0."""
    CURRICULUM = "curriculum"
    """The margin of the last of `phases` that has begun."""


class Phase(StrictModel):
    """One phase of a curriculum."""

    from_epoch: int = Field(ge=0, description="Within a step.")
    margin: float = Field(ge=0, lt=2)


class Margin(StrictModel):
    """How far below the hardest negative ANT still looks, in cosine: a larger margin keeps MORE negatives."""

    kind: MarginKind = MarginKind.FIXED
    start: float = Field(default=0.1, ge=0, lt=2)
    end: float = Field(default=0.5, ge=0, lt=2)
    ramp_epochs: float | None = Field(default=None, gt=0, description="Default: all epochs of a step.")
    gap_fraction: float = Field(default=0.8, gt=0, le=2)
    phases: tuple[Phase, ...] = Field(default=(), description="The first one from epoch 0, in order.")

    def unread(self) -> Mapping[str, str]:
        """Each kind reads its own fields."""
        read = {
            MarginKind.FIXED: {"start"},
            MarginKind.LINEAR: {"start", "end", "ramp_epochs"},
            MarginKind.GAP_ADAPTIVE: {"start", "end", "ramp_epochs", "gap_fraction"},
            MarginKind.CURRICULUM: {"phases"},
        }[self.kind]
        return {
            name: f"when kind is {self.kind.value}" for name in type(self).model_fields if name not in read | {"kind"}
        }

    @model_validator(mode="after")
    def _phases_in_order(self) -> Self:
        if self.kind is MarginKind.CURRICULUM:
            begins = [phase.from_epoch for phase in self.phases]
            if not begins or begins[0] != 0 or begins != sorted(set(begins)):
                raise ValueError(
                    f"phases begin at {begins}: expected 0 for the first, and each later than the one before"
                )
        return self

    @property
    def over_time(self) -> tuple[float, ...]:
        """The margins that a step passes through, before any look at the gap."""
        if self.kind is MarginKind.CURRICULUM:
            return tuple(phase.margin for phase in self.phases)
        return (self.start,) if self.kind is MarginKind.FIXED else (self.start, self.end)

    def at(self, epoch: float, *, epochs: float) -> float:
        """The margin `epoch` (fractional) epochs into a step of `epochs`, before any look at the gap."""
        if self.kind is MarginKind.FIXED:
            return self.start
        if self.kind is MarginKind.CURRICULUM:
            return [phase.margin for phase in self.phases if phase.from_epoch <= epoch][-1]
        return self.start + min(epoch / (self.ramp_epochs or epochs), 1.0) * (self.end - self.start)


class LossWeights(StrictModel):
    """Factors in the total loss; 0 turns a term off."""

    nce: float = Field(default=1.0, ge=0, le=100)
    ant: float = Field(default=0.0, ge=0, le=100, description="Off: it helped in no measurement, see the README.")
    gap: float = Field(default=0.0, ge=0, le=100)


class Stream(StrictModel):
    """In which order the classes come, and how many at a time."""

    num_steps: int = Field(default=5, ge=1, le=MAX_STEPS, description="1 trains on all classes jointly.")
    base_classes: int | None = Field(
        default=None, ge=2, description="Classes of the first step; default: as many as in the others."
    )
    class_order_seed: int = Field(default=1993, ge=0, lt=2**31)

    def first_classes(self, data: ImageSource) -> float | None:
        """Classes of the first step, as far as it is known without reading the data."""
        if self.base_classes is not None:
            return self.base_classes
        match data:
            case DigitsSource():
                return 10 / self.num_steps
            case OmniglotCharacters():
                return data.num_classes / self.num_steps
            case _:
                return None


class Memory(StrictModel):
    """Exemplars: items of past classes that stay in the training set."""

    per_class: int = Field(default=5, ge=0, le=10_000, description="0 keeps the class means only.")
    choice: Choice = Choice.HERDING

    def unread(self) -> Mapping[str, str]:
        """Without exemplars nothing is chosen."""
        return {} if self.per_class else {"choice": "when per_class is 0"}


class FallingOptimizer(Optimizer):
    """AdamW; by default the learning rate falls to a tenth over the whole trial, which is worth 4 points on digits."""

    lr: float = Field(default=3e-3, gt=0, le=1, description="Learning rate before `schedule`.")
    schedule: LearningRateSchedule = LearningRateSchedule(kind=ScheduleKind.LINEAR, end=0.1)


class Sizes(StrictModel):
    """Sizes of the network."""

    width: int = Field(default=16, ge=4, le=512, description="Channels of the first block; later ones have twice.")
    embedding: int = Field(default=64, ge=2, le=2048)


class Config(StrictModel):
    """The incremental task. A trial has `stream.num_steps` times `epochs_per_step` epochs."""

    epochs_per_step: int = Field(default=8, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=2, le=65_536, description="Items; each is seen in two views.")
    optimizer: FallingOptimizer = FallingOptimizer()
    loss_weights: LossWeights = LossWeights()
    positives: Positives = Positives.CLASSES
    temperature: float = Field(default=0.1, gt=0, le=1, description="InfoNCE divides cosines by it.")
    ant: AntForm = AntForm()
    margin: Margin = Margin()
    hard_negative_ratio: float = Field(
        default=1.0, gt=0, le=1, description="Share of the negatives, hardest first, that ANT looks at; one at least."
    )
    gap_target: float = Field(
        default=0.7, gt=0, le=2, description="Of the mean positive minus the mean negative cosine."
    )
    classifier: Classifier = Classifier.NEAREST_MEAN
    warp: float = Field(
        default=0.05, ge=0, le=0.5, description="Size of random turns, stretches and shifts that make a view."
    )
    stream: Stream = Stream()
    memory: Memory = Memory()
    sizes: Sizes = Sizes()
    data: ImageSource = DigitsSource()

    @property
    def epochs(self) -> int:
        """Of a whole trial."""
        return self.stream.num_steps * self.epochs_per_step

    def unread(self) -> Mapping[str, str]:
        """The settings of terms that are off."""
        ant = dict.fromkeys(("ant", "margin", "hard_negative_ratio"), "when loss_weights.ant is 0")
        return ({} if self.loss_weights.ant else ant) | (
            {} if self.loss_weights.gap else {"gap_target": "when loss_weights.gap is 0"}
        )

    def roles(self) -> Mapping[str, Role]:
        """What the keys mean with these positives; ANT's only where it has a weight."""
        parts = LossWeights.model_fields
        return {
            "batch_size": BatchSize(),
            **self.optimizer.roles("optimizer", epochs=self.epochs),
            **{f"loss_weights.{part}": LossWeight(part, is_main=part == "nce") for part in parts},
            "temperature": self._temperature_role(),
            **(self._ant_roles() if self.loss_weights.ant else {}),
        }

    def _temperature_role(self) -> Temperature:
        views = self.positives is Positives.VIEWS
        rows, classes = 2 * self.batch_size, self.stream.first_classes(self.data)
        return Temperature(
            Contrast.NT_XENT if views else Contrast.SUPCON,
            batch_size=rows if views or classes else None,
            items_per_class=2 if views or not classes else max(2.0, rows / classes),
            one_modality=True,
        )

    def _ant_roles(self) -> dict[str, Role]:
        first = self.ant.coverage is Coverage.FIRST_VIEW
        available = self.batch_size - 1 if first else 2 * self.batch_size - 2
        roles: dict[str, Role] = {
            "margin": AntMargin(self.margin.over_time),
            "hard_negative_ratio": HardNegatives(kept_negatives(available, self.hard_negative_ratio), available),
        }
        if "ramp_epochs" not in self.margin.unread() and self.margin.ramp_epochs:
            what, ramp = "the margin reaches its end", self.margin.ramp_epochs
            roles["margin.ramp_epochs"] = ScheduleEnd(what, at=ramp, within=self.epochs_per_step)
        return roles

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        late = [phase.from_epoch for phase in self.margin.phases if phase.from_epoch >= self.epochs_per_step]
        if late:
            raise ValueError(
                f"margin.phases: from epoch {late[0]} is never reached, epochs_per_step is {self.epochs_per_step}"
            )
        check_warmups({"optimizer.schedule": self.optimizer.schedule}, epochs=self.epochs)
        weights = self.loss_weights
        if weights.nce + weights.ant + weights.gap == 0 and self.classifier is Classifier.NEAREST_MEAN:
            raise ValueError("loss_weights are all 0: nothing would be learned")
        return self


FUSING = Fusing(
    varies=(
        "optimizer.*",
        "temperature",
        "margin.start",
        "margin.end",
        "margin.ramp_epochs",
        "margin.gap_fraction",
        "margin.phases*",
        "hard_negative_ratio",
        "gap_target",
    ),
    weights=("loss_weights.*",),
)


_PARTS = (*LossWeights.model_fields, "classification")
_COSINES = {
    "positive_cosine": "mean cosine of positive pairs",
    "negative_cosine": "mean cosine of negative pairs",
    "hardest_negative_cosine": "mean over anchors of the cosine of the hardest negative",
    "gap": "positive_cosine minus negative_cosine",
    "hardest_gap": "positive_cosine minus hardest_negative_cosine",
}

METRICS: Mapping[str, str] = {
    "val/stream_accuracy": "share of the val items of ALL classes that are right, those not yet seen being wrong: "
    "the objective; at the end it is Last",
    "val/last_accuracy": "accuracy over the val items of the classes seen so far; at the end it is Last",
    "val/average_accuracy": "mean over the steps so far of the accuracy at the end of each (Avg)",
    "val/forgetting": "mean over earlier tasks of the best accuracy before now minus the present one; from step 2 on",
    "val/backward_transfer": "mean over earlier tasks of the present accuracy minus that right after the task",
    **{
        f"val/accuracy_task_{j}": f"accuracy on task {j} among all classes seen so far" for j in range(1, MAX_STEPS + 1)
    },
    "val/chance_accuracy": "accuracy of guessing among the classes seen so far",
    "val/raw_accuracy": "nearest mean of raw pixels over all classes at once; measured once, at step 0",
    "val/num_classes_seen": "classes that have come so far",
    "val/num_queries": "val items of the classes seen so far",
    "train/last_accuracy": "accuracy over what there is to train on: the step's items and the exemplars",
    "val/resultant_length": "norm of the mean embedding of the classes seen; 1 is collapse to a point",
    "val/effective_rank": "effective number of dimensions in use, not centred",
    "val/effective_rank_centred": "the same after subtracting the mean",
    "val/top_variance_fraction": "share of the variance along the first principal axis",
    "val/embedding_size": "dimensions that there are",
    "val/nce_loss": "InfoNCE on val at the training batch size",
    "val/nce_chance": "its value when all embeddings are equal",
    "val/nce_floor": "the lowest value that it can have at this temperature, batch size and number of positives",
    "val/nce_position": "0 at the floor, 1 at chance",
    **{f"val/{name}": f"{meaning}, on val" for name, meaning in _COSINES.items()},
    **{f"train/{name}": meaning for name, meaning in _COSINES.items()},
    "train/loss": "weighted total, mean over the epoch's steps",
    "train/nce_loss": "InfoNCE before its weight",
    "train/ant_loss": "ANT before its weight",
    "train/ant_floor": "ANT where nothing violates: the log of the number of terms for logsumexp and topk, else 0",
    "train/ant_excess": "ANT above its floor",
    "train/gap_loss": "relu(gap_target - gap) before its weight; 0 is idle",
    "train/classification_loss": "cross-entropy of the linear classifier",
    "train/violation_rate": "share of the negatives within the margin of the hardest one",
    "train/margin": "ANT's margin in effect",
    "train/temperature": "temperature in effect",
    "train/hard_negative_ratio": "share of negatives in effect",
    "train/step": "number of the task that is being learned, from 1",
    "train/num_exemplars": "items of past classes in the training set",
    "train/num_items": "items in the training set, exemplars included",
    "train/parameter_drift": "distance of the parameters from those at the beginning of the step, over their norm",
    **{f"train/weight_share_{part}": f"share of the weights: {part}" for part in _PARTS},
    **{f"train/loss_share_{part}": f"share of the weighted total: {part}" for part in _PARTS},
    **{
        f"train/grad_share_{part}": f"share of the gradient norms on the trunk, on the epoch's first batch: {part}"
        for part in _PARTS
    },
    **{
        f"train/grad_cosine_{a}_{b}": f"cosine of the gradients of {a} and {b} on the trunk; below 0 they fight"
        for a, b in combinations(_PARTS, 2)
    },
    "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
    "train/grad_norm_max": "the largest of them",
    "train/grad_norm_trunk": "the same, trunk alone",
    "train/grad_norm_heads": "the same, projection and linear classifier alone",
    "train/clipped_fraction": "share of the steps whose gradient was scaled down",
    "train/update_ratio": "norm of one step over the norm of the parameters",
    "train/num_skipped_batches": "batches without any term",
    "train/lr": "learning rate in effect",
}
"""Every metric that the task may report, with its meaning. Not all apply to each configuration."""
