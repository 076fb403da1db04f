"""The four kinds of parameter, as they stand in a sweep file under `space:`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

Choice = StrictBool | StrictInt | StrictFloat | StrictStr
Condition = Mapping[str, Choice | tuple[Choice, ...]]
"""Parameter name to the value, or the values, that it must have."""


class _Domain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    when: Condition = Field(
        default_factory=dict,
        description="Searched only when these parameters have these values; all of them must hold.",
    )


class Float(_Domain):
    """A real number in [low, high]."""

    type: Literal["float"]
    low: StrictFloat
    high: StrictFloat
    log: StrictBool = Field(default=False, description="Search the logarithm; low must be above 0.")
    step: StrictFloat | None = Field(default=None, gt=0, description="Only low, low + step, low + 2 step, ...")


class Int(_Domain):
    """A whole number in [low, high]."""

    type: Literal["int"]
    low: StrictInt
    high: StrictInt
    log: StrictBool = Field(default=False, description="Search the logarithm; low must be above 0.")
    step: StrictInt = Field(default=1, ge=1)


class Categorical(_Domain):
    """One of a few values without an order."""

    type: Literal["categorical"]
    choices: tuple[Choice, ...] = Field(min_length=1)


class Fixed(_Domain):
    """One value: a parameter taken out of the search, or set only under a condition."""

    type: Literal["fixed"]
    value: Choice


Parameter = Annotated[Float | Int | Categorical | Fixed, Field(discriminator="type")]
