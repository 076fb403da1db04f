"""A point of the file is a configuration of its space, or a fault with its line."""

import pytest
from pydantic import BaseModel, Field, model_validator

from orchestrator.errors import SpecError
from orchestrator.spec import check_config, parse

TEXT = """name: p
trainable: t
objective: {{metric: m, direction: maximize}}
space:
  lr: {{type: float, low: 0.1, high: 1.0}}
  kind: {{type: categorical, choices: [a, b]}}
  end: {{type: float, low: 0.0, high: 1.0, when: {{kind: b}}}}
  deep: {{type: int, low: 1, high: 3, when: {{end_kind: x}}}}
  end_kind: {{type: categorical, choices: [x, y], when: {{kind: b}}}}
constraints: ["lr < 0.9", "lr < base"]
budget: {{trials: 3}}
points:
  - {point}
"""


class Config(BaseModel, extra="forbid"):
    lr: float = 0.5
    kind: str = "a"
    end: float = 0.5
    deep: int = 1
    end_kind: str = "x"
    base: float = Field(default=0.8)

    @model_validator(mode="after")
    def _check(self):
        if self.kind == "a" and self.lr == 0.25:
            raise ValueError("not a quarter")
        return self


def faults(point):
    try:
        check_config(parse(TEXT.format(point=point), file="f.yaml"), Config, metrics=["m"])
    except SpecError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize("point", ["{lr: 0.5, kind: a}", "{lr: 0.5}", "{kind: b, end: 0.5}", "{}"])
def test_whole_points_and_parts_of_one_are_taken(point):
    assert faults(point) == []


@pytest.mark.parametrize(
    ("point", "fault"),
    [
        ("{lrr: 0.5}", "f.yaml:13:6 points[0].lrr: 'lrr' is not a parameter of space: (did you mean 'lr'?)"),
        ("{lr: 2.0}", "f.yaml:13:10 points[0].lr: 2.0 is outside of the space: between 0.1 and 1.0"),
        ("{kind: c}", "f.yaml:13:12 points[0].kind: 'c' is outside of the space: one of 'a', 'b'"),
        ("{kind: a, end: 0.5}", "f.yaml:13:15 points[0].end: not active: end needs kind to be 'b', not 'a' (leave"),
        ("{end: 0.5}", "points[0].end: not active: end needs kind to be 'b', which the point does not set"),
        (
            "{deep: 1, end_kind: x, kind: a}",
            "points[0].deep: not active: end_kind needs kind to be 'b', not 'a'",
        ),
        ("{lr: 0.95, kind: a}", "f.yaml:13:5 points[0]: does not satisfy lr < 0.9 and lr < base"),
        ("{lr: 0.85}", "f.yaml:13:5 points[0]: does not satisfy lr < base"),
        ("{lr: 0.25, kind: a}", "f.yaml:13:5 points[0]: Value error, not a quarter"),
    ],
)
def test_each_other_point_is_a_fault_with_its_line(point, fault):
    assert fault in "\n".join(faults(point))
