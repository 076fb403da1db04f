"""When two stored numbers are the same number. Pure."""

import math
from collections.abc import Mapping, Sequence

LARGEST = 1.7976931348623157e308
"""What MLflow keeps for infinity, with its sign."""


def same(a: float, b: float) -> bool:
    """Equal to the bit, but for the sign of zero, which a database does not keep; NaN is NaN."""
    return a == b or (math.isnan(a) and math.isnan(b))


def same_maps(a: Mapping[int, float], b: Mapping[int, float]) -> bool:
    """Equal steps and values."""
    return a.keys() == b.keys() and all(same(value, b[step]) for step, value in a.items())


def same_lists(a: Sequence[float], b: Sequence[float]) -> bool:
    """Equal values in equal places."""
    return len(a) == len(b) and all(map(same, a, b))


def in_mlflow(value: float) -> float:
    """The value as MLflow keeps it."""
    return math.copysign(LARGEST, value) if math.isinf(value) else value
