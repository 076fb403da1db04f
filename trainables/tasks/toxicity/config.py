"""What the toxicity task can be told, and what it reports. Read by sweeps before anything heavy is imported.

Source: note 004's losses and schedule; the README beside this file explains each.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations
from typing import Annotated

from pydantic import Field, model_validator

from trainables.config import GroupOptimizer, Optimizer, StrictModel
from trainables.contract import Fusing
from trainables.data.texts.sources import FilesSource, GeneratedSource, TextSource
from trainables.roles import BatchSize, EvaluatedItems, LearningRate, LossWeight, Role, UncertaintyDecay
from trainables.schedules import LearningRateKind, LearningRateSchedule, check_warmups


class TaskWeighting(StrEnum):
    """Where the factors on the tasks' losses come from."""

    KENDALL = "kendall"
    """Learned: 1 / (2 sigma^2) with a sigma of each task, and ln sigma added."""
    FIXED = "fixed"
    """`weighting.weights`."""
    EQUAL = "equal"


class AbsentTasks(StrEnum):
    """What becomes of the uncertainty of a task that a batch has no labels for."""

    FROZEN = "frozen"
    """It is not in the graph: its parameter stays bit-identical."""
    MASKED = "masked"
    """Note 004's repair: its gradient is 0, but AdamW's momentum still moves it."""
    PHANTOM = "phantom"
    """Note 004's fault: ln sigma is still in the sum, and sigma falls as long as the task is away."""


class BatchLabels(StrEnum):
    """Which labels of its texts a batch has."""

    ALL = "all"
    ONE_TASK = "one_task"
    """Those of one task; the tasks take turns."""


Factor = Annotated[float, Field(ge=0, le=1000)]


class Focal(StrictModel):
    """Focal loss of every task."""

    gamma: float = Field(default=2.0, ge=0, le=10, description="0 is cross entropy.")
    balance: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Alpha of a class is its share of the training labels to the power of minus this; 1 balances all.",
    )
    alpha: Mapping[str, tuple[Factor, ...]] = Field(
        default={}, description="By task, a factor for each class in order; takes the place of `balance` there."
    )


class Weighting(StrictModel):
    """Factors on the tasks' losses."""

    kind: TaskWeighting = TaskWeighting.KENDALL
    absent: AbsentTasks = AbsentTasks.FROZEN
    log_term: bool = Field(default=True, description="False leaves ln sigma out: sigma then grows without end.")
    start: float = Field(default=0.0, ge=-10, le=10, description="ln sigma^2 at first.")
    clamp: float = Field(default=5.0, gt=0, le=100, description="ln sigma^2 is kept within plus and minus this.")
    decay: float = Field(
        default=0.0, ge=0, le=10, description="Squared penalty on ln sigma^2; it should be 0 and is here to show that."
    )
    weights: Mapping[str, Factor] = Field(default={}, description="By task; 1 for those not named. 0 turns one off.")

    def unread(self) -> Mapping[str, str]:
        """Each kind has its own settings."""
        learned = ("absent", "log_term", "start", "clamp", "decay")
        names = {
            TaskWeighting.KENDALL: ("weights",),
            TaskWeighting.FIXED: learned,
            TaskWeighting.EQUAL: (*learned, "weights"),
        }
        return dict.fromkeys(names[self.kind], f"when kind is {self.kind.value}")


class Batching(StrictModel):
    """What a batch is made of."""

    labels: BatchLabels = BatchLabels.ALL
    run_length: int = Field(
        default=1, ge=1, le=1_000_000, description="Batches in a row that one task gets before the next has its turn."
    )

    def unread(self) -> Mapping[str, str]:
        """Turns are taken only with one task a batch."""
        return {} if self.labels is BatchLabels.ONE_TASK else {"run_length": "when labels is all"}


class Sizes(StrictModel):
    """Sizes of the networks."""

    width: int = Field(default=64, ge=8, le=1024, description="Channels of a word.")
    heads: int = Field(default=4, ge=1, le=16, description="Attentions of each task.")
    layers: int = Field(default=1, ge=0, le=12, description="Each lets a word see one further to both sides.")
    buckets: int = Field(default=8192, ge=256, le=2**22, description="Rows of the table that word pieces share.")
    dropout: float = Field(default=0.2, ge=0, lt=1)
    word_dropout: float = Field(default=0.1, ge=0, lt=1, description="Share of the words that training leaves out.")


_ONE_CYCLE = LearningRateSchedule(kind=LearningRateKind.ONE_CYCLE, peak_at=0.5)


class NetworkOptimizer(Optimizer):
    """Of the networks. One cycle by batch, with its peak half-way as in note 004; torch's own default is 0.3."""

    lr: float = Field(default=3e-3, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=0.1, ge=0, le=10)
    schedule: LearningRateSchedule = _ONE_CYCLE


class UncertaintyOptimizer(GroupOptimizer):
    """Of the learned task weights."""

    lr: float = Field(default=1e-2, gt=0, le=1, description="Learning rate before `schedule`.")
    weight_decay: float = Field(default=0.0, ge=0, le=0, description="Scalars do not decay; see weighting.decay.")
    schedule: LearningRateSchedule = _ONE_CYCLE


class Config(StrictModel):
    """The toxicity task."""

    epochs: int = Field(default=8, ge=1, le=100_000)
    batch_size: int = Field(default=64, ge=2, le=65_536)
    optimizer: NetworkOptimizer = NetworkOptimizer()
    uncertainty: UncertaintyOptimizer = UncertaintyOptimizer()
    focal: Focal = Focal()
    weighting: Weighting = Weighting()
    batching: Batching = Batching()
    sizes: Sizes = Sizes()
    data: TextSource = GeneratedSource()

    def unread(self) -> Mapping[str, str]:
        """Only learned weights need an optimizer."""
        if self.weighting.kind is TaskWeighting.KENDALL:
            return {}
        return {"uncertainty": f"when weighting.kind is {self.weighting.kind.value}"}

    def roles(self) -> Mapping[str, Role]:
        """What the keys mean with this weighting."""
        roles: dict[str, Role] = {
            "batch_size": BatchSize(),
            **self.optimizer.roles("optimizer", epochs=self.epochs),
        }
        if self.weighting.kind is TaskWeighting.KENDALL:
            # The cycle of their rate is no reason to wait: the task weights follow the losses.
            roles["uncertainty.lr"] = LearningRate("uncertainty")
            roles |= dict.fromkeys(("weighting.decay", "uncertainty.weight_decay"), UncertaintyDecay())
        if isinstance(self.data, GeneratedSource):
            roles["data.num_val"] = EvaluatedItems(self.data.num_val)
        # A task that is not named has a weight of 1, which no key says.
        if (
            self.weighting.kind is TaskWeighting.FIXED
            and self.weighting.weights.keys() == task_classes(self.data).keys()
        ):
            roles |= {f"weighting.weights.{task}": LossWeight(task, is_main=True) for task in self.weighting.weights}
        return roles

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        if self.sizes.width % self.sizes.heads:
            raise ValueError(
                f"sizes.width is {self.sizes.width}: it must be a multiple of sizes.heads, {self.sizes.heads}"
            )
        schedules = {"optimizer.schedule": self.optimizer.schedule, "uncertainty.schedule": self.uncertainty.schedule}
        check_warmups(schedules, epochs=self.epochs)
        self._check_task_names()
        return self

    def _check_task_names(self) -> None:
        tasks = task_classes(self.data)
        for name, named in (("focal.alpha", self.focal.alpha), ("weighting.weights", self.weighting.weights)):
            unknown = sorted(named.keys() - tasks.keys())
            if unknown:
                raise ValueError(f"{name} names {', '.join(unknown)}; the tasks of the data are {', '.join(tasks)}")
        for task, alpha in self.focal.alpha.items():
            if len(alpha) != tasks[task]:
                raise ValueError(f"focal.alpha.{task} has {len(alpha)} factors; there are {tasks[task]} classes")
        if self.weighting.kind is TaskWeighting.FIXED and all(self.weighting.weights.get(t, 1) == 0 for t in tasks):
            raise ValueError("weighting.weights are all 0: nothing would be learned")


FUSING = Fusing(
    varies=("optimizer.*", "uncertainty.*", "focal.*", "weighting.start", "weighting.clamp", "weighting.decay"),
    weights=("weighting.weights.*",),
)


_GENERATED = {"toxic": 2, "sentiment": 3, "emotion": 4, "sarcastic": 2}
_TWEETS = {"kind": 3, "hate_vote": 2, "clean_vote": 2, "disputed": 2}


def task_classes(source: TextSource) -> dict[str, int]:
    """The tasks of a source, and how many classes each has."""
    match source:
        case FilesSource():
            return {label.column: len(label.classes) for label in source.labels}
        case GeneratedSource():
            return dict(_GENERATED)
        case _:
            return dict(_TWEETS)


_NAMES = (*_GENERATED, *_TWEETS)


def _per_task(prefix: str, meaning: str) -> dict[str, str]:
    return {f"{prefix}{task}": f"{task}: {meaning}" for task in _NAMES}


METRICS: Mapping[str, str] = {
    "val/macro_f1": "mean over the tasks of the mean F1 over all classes of a task",
    "train/macro_f1": "the same on a fixed sample of train as large as val: the gap between both is overfitting",
    "val/accuracy": "share of right labels, mean over the tasks",
    "train/accuracy": "the same on the sample of train",
    "val/num_truncated_texts": "texts of val that are too long and are cut off",
    **_per_task("val/macro_f1_", "mean F1 over all classes"),
    **_per_task("val/majority_macro_f1_", "the same when always the class is said that is most common in train"),
    **_per_task("val/rare_f1_", "F1 of the class that is rarest in train"),
    **_per_task("val/rare_recall_", "share of the rare class that is found"),
    **_per_task("val/rare_precision_", "share right of what is called the rare class; 0 when nothing is"),
    **_per_task("val/rare_prevalence_", "share of the rare class among the labels"),
    **_per_task("val/calibration_error_", "distance of confidence from accuracy, 15 bins"),
    **_per_task("val/num_labels_", "texts with a label; the others are left out"),
    **{f"val/{task}_loss": f"{task}: focal loss before its weight" for task in _NAMES},
    **{
        f"val/{task}_chance": f"{task}: the focal loss of the best prediction that is the same for all"
        for task in _NAMES
    },
    **{f"val/{task}_floor": f"{task}: the least focal loss, 0" for task in _NAMES},
    **{f"val/{task}_position": f"{task}: 0 at the floor, 1 at chance" for task in _NAMES},
    "train/loss": "weighted total with its log terms, mean over the epoch's steps; it may be negative",
    **{
        f"train/{task}_loss": f"{task}: focal loss before its weight, over the batches that have labels"
        for task in _NAMES
    },
    **_per_task("train/weight_share_", "share of the weights"),
    **_per_task("train/loss_share_", "share of the weighted losses"),
    **_per_task("train/grad_share_", "share of the gradient norms on the encoder, on the epoch's first batch"),
    **{
        f"train/grad_cosine_{a}_{b}": f"cosine of the gradients of {a} and {b} on the encoder; below 0 they fight"
        for tasks in (_GENERATED, _TWEETS)
        for a, b in combinations(tasks, 2)
    },
    "train/hard_gradient_fraction": "share of the gradient on the logits that falls on the hardest 5 % of the labels",
    **_per_task("train/task_precision_", "1 / sigma^2, mean over the epoch's steps"),
    **_per_task("train/batches_since_seen_", "longest run of batches without its labels, up to now"),
    **_per_task(
        "train/absent_gradient_", "largest gradient on ln sigma^2, after clipping, in a batch without its labels"
    ),
    **_per_task("train/absent_drift_", "largest change of ln sigma^2 over an absence, with its sign"),
    "train/num_skipped_batches": "batches in which no text had a label, left out",
    "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
    "train/grad_norm_max": "the largest one",
    "train/grad_norm_encoder": "the same, encoder alone",
    "train/grad_norm_heads": "the same, heads alone",
    "train/grad_norm_uncertainty": "the same, learned weights alone",
    "train/clipped_fraction": "share of the steps that were clipped",
    "train/update_ratio": "norm of the epoch's first step over the norm of the parameters",
    "train/lr": "learning rate in effect, mean over the epoch's steps",
    "train/lr_uncertainty": "the same of the learned weights",
}
"""Every metric that the task may report, with its meaning; with `files` there are those of your own columns instead."""
