"""`SweepSpec`: what one sweep file says, typed and frozen. Loading and checking live beside it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictFloat, StrictInt, field_validator

from orchestrator.space import Parameter
from orchestrator.spec.dotted import nest

NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,62}$"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Direction(StrEnum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class Objective(_Section):
    """The metric that ranks trials."""

    metric: str = Field(min_length=1, description="A metric that the trainable reports, such as val/recall_at_1.")
    direction: Direction

    def better(self, a: float, b: float) -> bool:
        """Whether `a` is strictly better than `b`."""
        return a > b if self.direction is Direction.MAXIMIZE else a < b


class TpeSampler(_Section):
    """Tree-structured Parzen estimator: the default; models good and bad trials after `startup_trials`."""

    type: Literal["tpe"] = "tpe"
    startup_trials: StrictInt = Field(default=10, ge=1)


class RandomSampler(_Section):
    """Independent uniform draws: the honest baseline."""

    type: Literal["random"]


class QmcSampler(_Section):
    """Quasi-random (scrambled Sobol) points: even cover of a space without conditions."""

    type: Literal["qmc"]


class GridSampler(_Section):
    """Each combination once, in a seeded order; every parameter needs choices or a step."""

    type: Literal["grid"]


Sampler = Annotated[TpeSampler | RandomSampler | QmcSampler | GridSampler, Field(discriminator="type")]


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


class NoPruner(_Section):
    """Every trial runs to its end."""

    type: Literal["none"] = "none"


Pruner = Annotated[AshaPruner | HyperbandPruner | MedianPruner | NoPruner, Field(discriminator="type")]


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
    max_failures: StrictInt = Field(
        default=5, ge=1, description="Stop after this many equal failures before any trial has succeeded."
    )


class Resources(_Section):
    """What one trial needs."""

    cpu: StrictFloat = Field(default=1, gt=0)
    gpu: Literal["auto"] | Annotated[StrictFloat, Field(ge=0)] = Field(
        default="auto", description="auto: one if the cluster has any. A fraction packs several trials on one GPU."
    )
    max_concurrent: StrictInt | None = Field(default=None, ge=1, description="Default: as many as fit.")
    checkpoint_interval_s: StrictFloat = Field(
        default=30.0, ge=0, description="At most one checkpoint in this many seconds."
    )


class SweepSpec(_Section):
    """One question: a trainable, a space, and how to search it."""

    name: str = Field(pattern=NAME_PATTERN, description="Lower-case letters, digits, '-', '_', '.'.")
    trainable: str = Field(min_length=1, description="A registered name, or your own my_pkg.my_module:train.")
    objective: Objective
    space: Mapping[str, Parameter] = Field(min_length=1, description="Dotted config key to its domain.")
    constraints: tuple[str, ...] = Field(default=(), description="Expressions over dotted names that must hold.")
    config: Mapping[str, JsonValue] = Field(default_factory=dict, description="Fixed values of the trainable's Config.")
    sampler: Sampler = Field(default_factory=TpeSampler)
    pruner: Pruner = Field(default_factory=NoPruner)
    stop: tuple[StopRule, ...] = ()
    budget: Budget
    resources: Resources = Field(default_factory=Resources)
    seed: StrictInt = Field(default=0, ge=0, lt=2**32)

    @field_validator("config")
    @classmethod
    def _nest(cls, config: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        """`data.source: x` and `data: {source: x}` are the same thing; the nested form is kept."""
        return nest(config)
