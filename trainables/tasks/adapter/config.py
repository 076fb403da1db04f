"""What the adapter task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 000's adapters, losses and rates; the README beside this file explains each.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations
from typing import Annotated

from pydantic import Field, model_validator

from trainables.config import GroupOptimizer, StrictModel
from trainables.contract import Fusing
from trainables.data.embeddings.sources import EmbeddingSource, GeneratedEmbeddings
from trainables.roles import BatchSize, Contrast, EvaluatedItems, LossWeight, Role, Temperature
from trainables.schedules import check_warmups

SPACES = ("clip", "t5")
MAX_REPORTED_CLASSES = 16
"""Classes whose errors are reported one by one; of more, the worst and the best stand for all."""


class AdapterKind(StrEnum):
    """How an adapter is built."""

    PLAIN = "plain"
    MULTI_HEAD = "multi_head"
    RESIDUAL = "residual"


class NormKind(StrEnum):
    """What a norm in an adapter takes together."""

    LAYER = "layer"
    """The channels of one position."""
    GROUP = "group"
    """A group of channels over all positions: positions are mixed."""


class RegressionKind(StrEnum):
    """How squared errors are averaged."""

    MSE = "mse"
    """Over items."""
    WEIGHTED_MSE = "weighted_mse"
    """Over items within the classes of a batch, then over these classes."""


class Similarity(StrEnum):
    """What the contrastive loss compares predictions and targets by."""

    COSINE = "cosine"
    DISTANCE = "distance"
    """Minus the mean squared error."""


class BatchKind(StrEnum):
    """What is in a batch."""

    HETEROGENEOUS = "heterogeneous"
    """Items of all classes."""
    HOMOGENEOUS = "homogeneous"
    """Items of one class, which changes from batch to batch."""


class SpaceChoice(StrEnum):
    """Which target spaces are learned."""

    BOTH = "both"
    CLIP = "clip"
    T5 = "t5"


class Adapter(StrictModel):
    """The network to one target space."""

    kind: AdapterKind = AdapterKind.PLAIN
    hidden: int = Field(default=256, ge=4, le=16_384, description="Channels between the two layers.")
    norm: NormKind = NormKind.LAYER
    groups: int = Field(default=8, ge=1, le=1024, description="Of a group norm; must divide hidden and the target.")
    heads: int = Field(default=4, ge=1, le=64)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    final_norm: bool = Field(default=True, description="Normalise the output; its learned gain and bias set the scale.")

    def unread(self) -> Mapping[str, str]:
        """Groups belong to the group norm, heads to the multi-head adapter, which has no dropout."""
        unread: dict[str, str] = {}
        if self.norm is not NormKind.GROUP:
            unread["groups"] = f"when norm is {self.norm.value}"
        unread["dropout" if self.kind is AdapterKind.MULTI_HEAD else "heads"] = f"when kind is {self.kind.value}"
        return unread

    @property
    def num_groups(self) -> int | None:
        """Of the norm, None for a layer norm."""
        return self.groups if self.norm is NormKind.GROUP else None

    def faults(self, *, inputs: int, outputs: int) -> list[str]:
        """Why it cannot be built for these numbers of channels; empty when it can."""
        faults = []
        if self.kind is AdapterKind.RESIDUAL and inputs != outputs:
            faults.append(
                f"kind is residual: it needs as many input channels as target channels, not {inputs} and {outputs}"
            )
        for name, size in {"hidden": self.hidden, "the target's channels": outputs}.items():
            if self.num_groups and size % self.num_groups:
                faults.append(f"groups is {self.groups}: it must divide {name}, {size}")
        return faults


class Loss(StrictModel):
    """What is asked of a prediction: a small squared error, and to be nearer to its own target than to others."""

    regression: RegressionKind = RegressionKind.MSE
    regression_weight: float = Field(default=1.0, ge=0, le=1000)
    contrastive_weight: float = Field(default=0.0, ge=0, le=1000)
    similarity: Similarity = Similarity.COSINE
    temperature: float = Field(default=0.1, gt=0, le=100, description="Divides the similarity.")

    def unread(self) -> Mapping[str, str]:
        """A part without weight has no settings."""
        unread: dict[str, str] = {}
        if not self.regression_weight:
            unread["regression"] = "when regression_weight is 0"
        if not self.contrastive_weight:
            unread |= dict.fromkeys(("similarity", "temperature"), "when contrastive_weight is 0")
        return unread

    def roles(self, key: str, *, classes_per_batch: int | None, group: str) -> dict[str, Role]:
        """The meaning of its keys; a temperature over distances, which have no bound, has none. Args: key: its own."""
        roles: dict[str, Role] = {
            f"{key}.regression_weight": LossWeight("regression", is_main=True, group=group),
            f"{key}.contrastive_weight": LossWeight("contrastive", group=group),
        }
        if self.contrastive_weight and self.similarity is Similarity.COSINE:
            several = classes_per_batch if classes_per_batch and classes_per_batch > 1 else None
            roles[f"{key}.temperature"] = Temperature(Contrast.OTHER, batch_size=several)
        return roles

    @model_validator(mode="after")
    def _asks_something(self) -> "Loss":
        if not self.regression_weight and not self.contrastive_weight:
            raise ValueError("regression_weight and contrastive_weight are both 0: nothing would be learned")
        return self


class TargetOptimizer(GroupOptimizer):
    """AdamW's settings for one adapter."""

    lr: float = Field(default=1e-3, gt=0, le=1, description="Learning rate before `schedule`.")


class Target(StrictModel):
    """One target space: its adapter, its loss, its rates."""

    adapter: Adapter = Adapter()
    loss: Loss = Loss()
    optimizer: TargetOptimizer = TargetOptimizer()


class Config(StrictModel):
    """The adapter task."""

    epochs: int = Field(default=20, ge=1, le=100_000)
    batch_size: int = Field(default=16, ge=1, le=65_536)
    batches: BatchKind = BatchKind.HETEROGENEOUS
    spaces: SpaceChoice = SpaceChoice.BOTH
    clip: Target = Target()
    t5: Target = Target()
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients of all adapters together are cut to it.")
    data: EmbeddingSource = GeneratedEmbeddings()

    def unread(self) -> Mapping[str, str]:
        """The settings of a space that is not learned."""
        return {space: f"when spaces is {self.spaces.value}" for space in SPACES if space not in self.targets}

    @property
    def targets(self) -> dict[str, Target]:
        """The spaces that are learned."""
        every = {"clip": self.clip, "t5": self.t5}
        return every if self.spaces is SpaceChoice.BOTH else {self.spaces.value: every[self.spaces.value]}

    def roles(self) -> Mapping[str, Role]:
        """What the keys of the learned spaces mean."""
        roles: dict[str, Role] = {"batch_size": BatchSize()}
        seen = None
        if isinstance(self.data, GeneratedEmbeddings):
            roles["data.num_val"] = EvaluatedItems(self.data.num_val)
            seen = min(self.data.num_classes, self.batch_size)
        for space, target in self.targets.items():
            roles |= target.optimizer.roles(f"{space}.optimizer", epochs=self.epochs, group=space)
            roles |= target.loss.roles(f"{space}.loss", classes_per_batch=seen, group=space)
        return roles

    @property
    def _one_class_batches(self) -> str:
        """Why every batch holds one class; empty when it does not."""
        if self.batches is BatchKind.HOMOGENEOUS:
            return "one class"
        if self.batch_size == 1:
            return "one item"
        return "the only class" if isinstance(self.data, GeneratedEmbeddings) and self.data.num_classes == 1 else ""

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        for space, target in self.targets.items():
            check_warmups({f"{space}.optimizer.schedule": target.optimizer.schedule}, epochs=self.epochs)
            if isinstance(self.data, GeneratedEmbeddings):
                faults = target.adapter.faults(inputs=self.data.dims, outputs=getattr(self.data, space).dims)
                if faults:
                    raise ValueError(f"{space}.adapter.{faults[0]}")
            if target.loss.contrastive_weight and self._one_class_batches:
                where = f"{space}.loss.contrastive_weight is {target.loss.contrastive_weight:g}"
                raise ValueError(f"{where}: batches of {self._one_class_batches} hold nothing to contrast")
        return self


FUSING = Fusing(
    varies=("*.optimizer.*", "*.loss.temperature", "betas", "max_grad_norm"),
    weights=("*.loss.regression_weight", "*.loss.contrastive_weight"),
)

_PARTS = tuple(f"{space}_{part}" for space in SPACES for part in ("regression", "contrastive"))


def _per_space(names: Mapping[str, str]) -> dict[str, str]:
    """Each name with each space at its end."""
    return {f"{name}_{space}": f"{meaning}: {space}" for space in SPACES for name, meaning in names.items()}


METRICS: Mapping[str, str] = {
    "val/r2": "1 - squared error / squared error of the class-blind prediction, mean over spaces; 0 knows no class",
    "val/retrieval_accuracy": "the accuracies of the spaces, mean",
    "val/chance_retrieval_accuracy": "one over the number of classes",
    "val/raw_retrieval_accuracy": "nearest class mean of the inputs themselves; measured once, at step 0",
    "val/num_classes": "classes of the data",
    "val/num_excluded_classes": "classes without an item in val: nothing is measured for them",
    **_per_space(
        {
            "val/r2": "share of the class-blind squared error that the prediction explains",
            "val/mse": "squared error, mean over dimensions",
            "val/class_blind_mse": "squared error of the mean target of train, whatever the input",
            "val/class_blind_floor": "what a constant leaves at best when classes are equally frequent",
            "val/class_mean_mse": "squared error of the right class's mean target in train: knows the class, no more",
            "val/mse_worst_class": "squared error of the class with the largest",
            "val/mse_best_class": "squared error of the class with the smallest",
            "val/retrieval_accuracy": "share of predictions that are nearest to the target of their class",
            "val/cosine_retrieval_accuracy": "the same by cosine",
            "val/target_distance": "mean distance of the targets of two classes; at most 2 for unit vectors",
            "val/target_distance_min": "distance of the two nearest class targets",
            "val/target_distance_max": "distance of the two farthest class targets",
            "val/target_norm": "length of a class target, root mean square",
            "val/output_norm": "length of a prediction, root mean square",
            "val/norm_gain": "gain of the final norm, root mean square; it multiplies a length of sqrt(dimensions)",
            "val/norm_floor": "squared error that the final norm leaves at least with its present gain and bias",
            "train/mse": "squared error in training, before its step, mean over the epoch",
            "train/r2": "1 - train/mse / class-blind squared error of train",
            "train/batch_class_blind_mse": "squared error of each batch's own mean target; 0: nothing to tell apart",
            "train/lr": "learning rate in effect",
            "train/grad_norm": "gradient norm before clipping, this adapter alone",
        }
    ),
    **{
        f"val/mse_{space}_class_{c}": f"squared error of class {c}: {space}"
        for space in SPACES
        for c in range(MAX_REPORTED_CLASSES)
    },
    **{
        f"val/{space}_contrastive_{name}": f"{meaning}: {space}"
        for space in SPACES
        for name, meaning in {
            "loss": "contrastive loss in batches of the training's size",
            "chance": "its value when all targets look alike, ln of the classes in a batch",
            "floor": "the lowest value that these targets allow",
            "position": "0 at the floor, 1 at chance",
        }.items()
    },
    "train/loss": "weighted total, mean over the epoch's steps",
    "train/classes_per_batch": "different classes in a batch",
    **{f"train/{part}_loss": f"{part} loss before its weight" for part in _PARTS},
    **{
        f"train/{share}_share_{part}": f"{meaning}: {part}"
        for part in _PARTS
        for share, meaning in {
            "weight": "share of the weights",
            "loss": "share of the weighted total",
            "grad": "share of the gradient norms",
        }.items()
    },
    **{
        f"train/grad_cosine_{a}_{b}": f"cosine of the gradients of {a} and {b}; 0 between spaces, which share nothing"
        for a, b in combinations(_PARTS, 2)
    },
    "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
    "train/grad_norm_max": "the largest of the epoch",
    "train/clipped_fraction": "share of the steps whose gradient was scaled down",
    "train/update_ratio": "norm of the first step's change of the parameters over their norm",
    "train/lr": "learning rate in effect, first space",
}
"""Every metric that the task may report, with its meaning. Not all apply to each loss and data source."""
