"""`SweepSpec`: what one sweep file says, typed and frozen. Loading and checking live beside it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, StrictFloat, StrictInt, field_validator

from orchestrator.space import Choice, Parameter
from orchestrator.spec.dotted import nest

NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
MAX_NAME = 250
VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Direction(StrEnum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Objective(_Section):
    """The metric that ranks trials."""

    metric: str = Field(
        min_length=1, max_length=MAX_NAME, description="A metric that the trainable reports, such as val/recall_at_1."
    )
    direction: Direction

    def better(self, a: float, b: float) -> bool:
        """Whether `a` is strictly better than `b`."""
        return a > b if self.direction is Direction.MAXIMIZE else a < b


class TpeSampler(_Section):
    """Tree-structured Parzen estimator: the default; models good and bad trials after `startup_trials`."""

    type: Literal["tpe"] = "tpe"
    startup_trials: StrictInt = Field(default=10, ge=1)


class GpSampler(_Section):
    """Gaussian process: fewest trials for few continuous parameters and slow trials; seconds a proposal later on."""

    type: Literal["gp"]
    startup_trials: StrictInt = Field(default=10, ge=1)


class CmaesSampler(_Section):
    """CMA-ES: many trials over continuous parameters that depend on each other; conditions and choices are drawn."""

    type: Literal["cmaes"]
    startup_trials: StrictInt = Field(default=1, ge=1)


class Nsga2Sampler(_Section):
    """NSGA-II: a genetic search for two or three objectives and many trials."""

    type: Literal["nsga2"]
    population: StrictInt = Field(default=20, ge=2)


class Nsga3Sampler(_Section):
    """NSGA-III: a genetic search for four objectives or more."""

    type: Literal["nsga3"]
    population: StrictInt = Field(default=20, ge=2)


class RandomSampler(_Section):
    """Independent uniform draws: the honest baseline."""

    type: Literal["random"]


class QmcSampler(_Section):
    """Quasi-random (scrambled Sobol) points: even cover of a space without conditions."""

    type: Literal["qmc"]


class GridSampler(_Section):
    """Each combination once, in a seeded order; every parameter needs choices or a step."""

    type: Literal["grid"]


class BruteForceSampler(_Section):
    """Each combination once, in a random order that follows the conditions; every parameter needs choices or a step."""

    type: Literal["brute_force"]


class PbtSampler(_Section):
    """Population-based training: members train side by side, and the worst go on from the best with changed values.

    Each stretch of `interval_epochs` is a trial. Floats may change from stretch to stretch; whole numbers and choices
    stay with the weights that they were trained with. What it finds is a schedule.
    """

    type: Literal["pbt"]
    population: StrictInt = Field(default=8, ge=4)
    interval_epochs: StrictInt = Field(default=2, ge=1)
    exploit_fraction: StrictFloat = Field(
        default=0.25, gt=0, le=0.5, description="The worst this share go on from one of the best this share."
    )
    perturb_factor: StrictFloat = Field(default=1.2, gt=1, le=10, description="A float is multiplied or divided by it.")
    resample_probability: StrictFloat = Field(default=0.25, ge=0, le=1, description="Or drawn anew, this often.")


Sampler = Annotated[
    TpeSampler
    | GpSampler
    | CmaesSampler
    | Nsga2Sampler
    | Nsga3Sampler
    | QmcSampler
    | RandomSampler
    | GridSampler
    | BruteForceSampler
    | PbtSampler,
    Field(discriminator="type"),
]


class AshaPruner(_Section):
    """Successive halving, asynchronous: at each rung only the best 1/reduction_factor go on."""

    type: Literal["asha"]
    min_epochs: StrictInt = Field(default=1, ge=1, description="The first rung.")
    reduction_factor: StrictInt = Field(default=3, ge=2)


class HyperbandPruner(_Section):
    """Several successive-halving brackets with different first rungs."""

    type: Literal["hyperband"]
    min_epochs: StrictInt = Field(default=1, ge=1)
    max_epochs: StrictInt | None = Field(default=None, ge=1, description="Default: the config's epochs.")
    reduction_factor: StrictInt = Field(default=3, ge=2)


class MedianPruner(_Section):
    """Ends a trial whose best value is worse than the median of the others at the same epoch."""

    type: Literal["median"]
    startup_trials: StrictInt = Field(default=5, ge=0)
    min_epochs: StrictInt = Field(default=1, ge=0, description="Never before this epoch.")


class PercentilePruner(_Section):
    """Ends a trial whose best value is not among the best `keep_percent` of the others at the same epoch."""

    type: Literal["percentile"]
    keep_percent: StrictFloat = Field(default=25.0, gt=0, lt=100)
    startup_trials: StrictInt = Field(default=5, ge=0)
    min_epochs: StrictInt = Field(default=1, ge=0, description="Never before this epoch.")


class WilcoxonPruner(_Section):
    """Ends a trial whose values, epoch by epoch, are worse than the best trial's by a signed-rank test."""

    type: Literal["wilcoxon"]
    p_threshold: StrictFloat = Field(default=0.1, gt=0, lt=1)
    min_epochs: StrictInt = Field(default=2, ge=0, description="Never before this epoch.")


class NoPruner(_Section):
    """Every trial runs to its end."""

    type: Literal["none"] = "none"


class PatientPruner(_Section):
    """Lets another pruner decide only when the trial has not improved by `min_delta` for `patience` epochs."""

    type: Literal["patient"]
    patience: StrictInt = Field(ge=1)
    min_delta: StrictFloat = Field(default=0.0, ge=0)
    pruner: Annotated[
        AshaPruner | HyperbandPruner | MedianPruner | PercentilePruner | WilcoxonPruner | NoPruner,
        Field(discriminator="type"),
    ] = Field(default_factory=NoPruner, description="none: lack of improvement alone ends the trial.")


Pruner = Annotated[
    AshaPruner | HyperbandPruner | MedianPruner | PercentilePruner | WilcoxonPruner | PatientPruner | NoPruner,
    Field(discriminator="type"),
]


class PlateauRule(_Section):
    """Stop when the metric has not improved by `min_delta` for `patience` measurements."""

    type: Literal["plateau"]
    metric: str | None = Field(default=None, description="Default: the objective's metric.")
    direction: Direction | None = Field(default=None, description="Default: the objective's direction.")
    patience: StrictInt = Field(ge=1)
    min_delta: StrictFloat = Field(default=0.0, ge=0)


class TargetRule(_Section):
    """Stop when the metric has reached `value`."""

    type: Literal["target"]
    metric: str | None = Field(default=None, description="Default: the objective's metric.")
    direction: Direction | None = Field(default=None, description="Default: the objective's direction.")
    value: StrictFloat


class NonFiniteRule(_Section):
    """Fail when one of the metrics is NaN or infinite. The objective is always watched."""

    type: Literal["non_finite"]
    metrics: tuple[str, ...] = Field(default=(), description="Default: every metric that is reported.")


class CollapseRule(_Section):
    """Stop when the embeddings have collapsed to a point or to few dimensions.

    Reads `val/resultant_length` (norm of the mean unit embedding; 1 is a point) and `val/effective_rank`.
    """

    type: Literal["collapse"]
    after_epochs: StrictInt = Field(default=2, ge=1)
    resultant_above: StrictFloat = Field(default=0.99, gt=0, le=1)
    effective_rank_below: StrictFloat = Field(default=1.5, ge=1)

    @staticmethod
    def reads_resultant(metric: str) -> bool:
        """Whether a metric of this name is a resultant length, such as `val/video_resultant_length`."""
        return metric == "val/resultant_length" or metric.endswith("_resultant_length")

    @staticmethod
    def reads_rank(metric: str) -> bool:
        """Whether a metric of this name is an effective rank, such as `val/text_effective_rank`."""
        return metric == "val/effective_rank" or metric.endswith("_effective_rank")


class BelowUntrainedRule(_Section):
    """Stop when after `after_epochs` the best value is still not better than the untrained model's."""

    type: Literal["below_untrained"]
    metric: str | None = Field(default=None, description="Default: the objective's metric.")
    direction: Direction | None = Field(default=None, description="Default: the objective's direction.")
    after_epochs: StrictInt = Field(default=3, ge=1)


class MaxEpochsRule(_Section):
    """Stop after this many epochs."""

    type: Literal["max_epochs"]
    epochs: StrictInt = Field(ge=1)


StopRule = Annotated[
    PlateauRule | TargetRule | NonFiniteRule | CollapseRule | BelowUntrainedRule | MaxEpochsRule,
    Field(discriminator="type"),
]


class Budget(_Section):
    """When the sweep ends."""

    trials: StrictInt = Field(ge=1)
    wall_hours: StrictFloat | None = Field(default=None, gt=0)
    gpu_hours: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Hours of training times GPUs of a trial; without a GPU, times its `resources.cpu`.",
    )
    epochs: StrictInt | None = Field(default=None, ge=1, description="Epochs of all trials together.")
    max_failures: StrictInt = Field(
        default=5, ge=1, description="Stop after this many equal failures before any trial has succeeded."
    )


class Resources(_Section):
    """What one trial needs."""

    cpu: StrictFloat = Field(default=1, gt=0)
    gpu: Literal["auto"] | Annotated[StrictFloat, Field(ge=0)] = Field(
        default="auto",
        description="auto: if there are any, a share of one that a short probe finds. A fraction packs by hand.",
    )
    max_concurrent: StrictInt | None = Field(default=None, ge=1, description="Default: as many as fit.")
    checkpoint_interval_s: StrictFloat = Field(
        default=30.0, ge=0, description="At most one checkpoint in this many seconds."
    )
    hang_timeout_s: StrictFloat | None = Field(
        default=None,
        gt=0,
        description="Seconds without a measurement after which a worker is killed and its trial is tried again.",
    )
    env: tuple[Annotated[str, Field(pattern=VARIABLE_PATTERN)], ...] = Field(
        default=(),
        max_length=100,
        description="Environment variables that a trainable sees in a Ray worker besides PATH, CUDA_* and such.",
    )


class Execution(_Section):
    """How trials are computed; what they compute stays the same."""

    fuse: Literal["off", "auto"] | Annotated[StrictInt, Field(ge=2, le=256)] = Field(
        default="off",
        description="How many trials that differ in numbers alone are lanes of one computation; auto: as many as pay.",
    )


class Confirm(_Section):
    """What is run after the search, with fresh seeds and at full length, before anything is called a winner."""

    top: StrictInt = Field(default=3, ge=1, description="Configurations of the search that are confirmed.")
    seeds: StrictInt = Field(default=10, ge=3, description="Trainings of each configuration that is not ruled out.")
    max_trials: StrictInt | None = Field(
        default=None, ge=6, description="Trainings in all; the default configuration's are among them."
    )
    test: StrictBool = Field(default=True, description="Read the test split once, at the end.")


class Lint(_Section):
    """Warnings that are meant."""

    ignore: Mapping[
        Annotated[str, Field(pattern=r"^ORC[0-9]{3}$")], Annotated[str, Field(min_length=1, max_length=1000)]
    ] = Field(default_factory=dict, description="Rule to the reason why it does not apply here.")


class SweepSpec(_Section):
    """One question: a trainable, a space, and how to search it."""

    name: str = Field(pattern=NAME_PATTERN, description="Lower-case letters, digits, '-', '_', '.'.")
    trainable: str = Field(
        min_length=1, max_length=MAX_NAME, description="A registered name, or your own my_pkg.my_module:train."
    )
    objective: Objective
    further_objectives: tuple[Objective, ...] = Field(
        default=(), description="More metrics to trade off against the objective, which alone prunes and ranks."
    )
    floors: Mapping[str, StrictFloat] = Field(
        default_factory=dict, description="Metric to the least value that a trial must reach to be of use."
    )
    space: Mapping[Annotated[str, Field(max_length=MAX_NAME)], Parameter] = Field(
        min_length=1, max_length=500, description="Dotted config key to its domain."
    )
    constraints: tuple[Annotated[str, Field(max_length=1000)], ...] = Field(
        default=(), max_length=100, description="Expressions over dotted names that must hold."
    )
    points: tuple[Mapping[str, Choice], ...] = Field(
        default=(), description="Configurations that are tried first; one that stands here twice gets a second seed."
    )
    repeats: StrictInt = Field(
        default=1, ge=1, le=32, description="Seeds that each trial trains with, side by side; metrics are their means."
    )
    config: Mapping[str, JsonValue] = Field(default_factory=dict, description="Fixed values of the trainable's Config.")
    sampler: Sampler = Field(default_factory=TpeSampler)
    pruner: Pruner = Field(default_factory=NoPruner)
    stop: tuple[StopRule, ...] = ()
    budget: Budget
    confirm: Confirm | None = Field(default=None, description="Confirm the best configurations after the search.")
    resources: Resources = Field(default_factory=Resources)
    execution: Execution = Field(default_factory=Execution)
    lint: Lint = Field(default_factory=Lint)
    seed: StrictInt = Field(default=0, ge=0, lt=2**32)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives; the first one prunes and ranks."""
        return (self.objective, *self.further_objectives)

    @property
    def watched_metrics(self) -> tuple[str, ...]:
        """What each measurement of a trial must have: the objectives, and what has a floor."""
        return tuple(dict.fromkeys([*(objective.metric for objective in self.objectives), *self.floors]))

    def missed_floors(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics that are below their floor, with how far below."""
        return {name: floor - metrics[name] for name, floor in self.floors.items() if metrics.get(name, floor) < floor}

    @field_validator("config")
    @classmethod
    def _nest(cls, config: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """`data.source: x` and `data: {source: x}` are the same thing; the nested form is kept."""
        return nest(config)
