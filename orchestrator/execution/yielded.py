"""What a user's trainable yields, made sure of: it is not type-checked before it runs, and may hold library numbers.

Called where measurements are pulled: by `Attempt`, and by `repeats` for each seed.
"""

import operator
from collections.abc import Sequence
from typing import SupportsFloat, cast

from trainables.contract import Measurement

MAX_METRICS = 1000
MAX_NAME = 250
"""What MLflow takes in one call."""


def checked(yielded: object, *, after: int) -> Measurement:
    """The measurement with plain numbers; NumPy's and torch's are taken for what they are.

    Args: after: the step before it.

    Raises:
        TypeError: it is no measurement, or a metric is no number.
        ValueError: the step does not increase.
    """
    if not isinstance(yielded, Measurement):
        raise TypeError(f"the trainable yielded {type(yielded).__name__}, not a trainables.contract.Measurement")
    step = operator.index(yielded.step)
    if step <= after:
        raise ValueError(f"step {step} was yielded after step {after}; steps must increase")
    _check_names([*yielded.metrics, *yielded.resamples])
    metrics = {name: _number(name, value) for name, value in yielded.metrics.items()}
    return Measurement(step, metrics, {name: _numbers(name, draws) for name, draws in yielded.resamples.items()})


def _check_names(names: Sequence[object]) -> None:
    if len(names) > MAX_METRICS:
        raise ValueError(f"{len(names)} metrics in one measurement; at most {MAX_METRICS} are kept")
    for name in names:
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise ValueError(f"a metric is named {str(name)[:50]!r}; a name has 1 to {MAX_NAME} characters")


def _numbers(name: str, values: Sequence[object]) -> tuple[float, ...]:
    return tuple(_number(name, value) for value in values)


def _number(name: str, value: object) -> float:
    try:
        if not isinstance(value, str | bytes):
            return float(cast(SupportsFloat, value))
    except (TypeError, ValueError):
        pass
    raise TypeError(f"the metric {name} is {type(value).__name__}, not a number")
