"""Words for pydantic's errors, and the walk from an error's location to the keys that are known there."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from orchestrator.spec import SweepSpec
from orchestrator.spec.wording import did_you_mean, keys_at, members, refusal, tags_at


class Model(BaseModel):
    number: float = Field(default=1.0, gt=0, le=2)
    whole: int = Field(default=1, ge=0, lt=9)
    kind: Literal["a", "b"] = "a"
    odd: int = 1
    either: Literal["auto"] | int = "auto"

    @field_validator("odd")
    @classmethod
    def _odd(cls, value):
        if value % 2 == 0:
            raise ValueError("Must be odd")
        return value


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": 0}, "0 is not allowed; allowed: above 0"),
        ({"number": 3}, "3 is not allowed; allowed: 2 or less"),
        ({"whole": -1}, "-1 is not allowed; allowed: 0 or more"),
        ({"whole": 9}, "9 is not allowed; allowed: below 9"),
        ({"whole": "x"}, "'x' is not allowed; allowed: a whole number"),
        ({"kind": "c"}, "'c' is not allowed; allowed: a, b"),
        ({"odd": 2}, "2 is not allowed: must be odd"),
        ({"either": []}, "a list is not allowed; allowed: auto, a whole number"),
    ],
)
def test_refusals(values, words):
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(values)
    assert refusal(caught.value.errors()) == words


def test_did_you_mean():
    assert did_you_mean("trails", ["trials", "wall_hours"]) == "did you mean 'trials'?"
    assert did_you_mean("xyz", ["trials"]) == ""


@pytest.mark.parametrize(
    ("location", "keys"),
    [
        (("budget",), ["trials", "wall_hours", "gpu_hours", "epochs", "max_failures"]),
        (("sampler", "tpe"), ["type", "startup_trials"]),
        (("stop", 3, "max_epochs"), ["type", "epochs"]),
        (("space", "a.b", "categorical"), ["when", "type", "choices"]),
        (("name",), []),
    ],
)
def test_keys_at(location, keys):
    assert keys_at(SweepSpec, location) == keys


def test_tags_at():
    assert tags_at(SweepSpec, ("space", "x")) == ["float", "int", "categorical", "fixed"]
    assert tags_at(SweepSpec, ("pruner",)) == [
        "asha",
        "hyperband",
        "median",
        "percentile",
        "wilcoxon",
        "patient",
        "none",
    ]


def test_members():
    assert members(Annotated[int | None, Field(ge=1)]) == (int, type(None))
    assert members(int) == (int,)
