"""The values of one parameter: equality, membership, enumeration and random draws.

Called by `SearchSpace`, by the checks of a sweep file and by the samplers' adapter. Knows no other parameter.
"""

import math
import random
from fractions import Fraction

from orchestrator.space.parameters import Categorical, Fixed, Float, Int, Parameter
from orchestrator.trial import Value

_STEP_TOLERANCE = 1e-6
"""How far from a step, as a fraction of the step, a float still counts as on it."""


def same_value(a: Value, b: Value) -> bool:
    """Whether two values are equal and of one kind: `1` and `1.0` are, `1` and `true` are not."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def includes(parameter: Parameter, value: Value) -> bool:
    """Whether `value` lies in the parameter's domain; its conditions are not looked at."""
    match parameter:
        case Fixed():
            return same_value(value, parameter.value)
        case Categorical():
            return any(same_value(value, choice) for choice in parameter.choices)
        case Int():
            if isinstance(value, bool) or not isinstance(value, int | float) or value != math.floor(value):
                return False
            return parameter.low <= value <= parameter.high and (value - parameter.low) % parameter.step == 0
        case Float():
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            return parameter.low <= value <= parameter.high and _on_step(parameter, value)


def _on_step(parameter: Float, value: float) -> bool:
    if parameter.step is None:
        return True
    steps = (value - parameter.low) / parameter.step
    return abs(steps - round(steps)) <= _STEP_TOLERANCE


def num_values(parameter: Parameter) -> int | None:
    """How many values the domain has; None for a float without a step."""
    match parameter:
        case Fixed():
            return 1
        case Categorical():
            return len(parameter.choices)
        case Int():
            return (parameter.high - parameter.low) // parameter.step + 1
        case Float(step=None):
            return None
        case Float(step=step):
            low, high = Fraction(str(parameter.low)), Fraction(str(parameter.high))
            return int((high - low) // Fraction(str(step))) + 1


def value_at(parameter: Parameter, index: int) -> Value:
    """The value at `index` (from 0) of an enumerable domain, in its natural order.

    Steps are added as decimal fractions, so that 0.1 + 2 * 0.1 is 0.3.
    """
    match parameter:
        case Fixed():
            return parameter.value
        case Categorical():
            return parameter.choices[index]
        case Int():
            return parameter.low + index * parameter.step
        case Float(step=None):
            raise ValueError("a float without a step cannot be enumerated")
        case Float(step=step):
            return float(Fraction(str(parameter.low)) + index * Fraction(str(step)))


def exact(parameter: Parameter, value: Value) -> Value:
    """The value of the domain that `value`, which lies in it, stands for: 3 for 3.0, a step's exact multiple."""
    match parameter:
        case Float(step=None):
            return float(value)
        case Float(low=low, step=float(step)):
            assert isinstance(value, int | float)
            return value_at(parameter, round((value - low) / step))
        case Int():
            return int(value)
        case Categorical(choices=choices):
            return next(choice for choice in choices if same_value(choice, value))
        case _:
            return value


def random_value(parameter: Parameter, rng: random.Random) -> Value:
    """One draw: uniform over the domain, or over its logarithm where `log` is set."""
    match parameter:
        case Float(step=None):
            return _random_float(parameter, rng)
        case Int(log=True):
            drawn = math.exp(rng.uniform(math.log(parameter.low - 0.5), math.log(parameter.high + 0.5)))
            return min(max(round(drawn), parameter.low), parameter.high)
        case _:
            count = num_values(parameter)
            assert count is not None
            return value_at(parameter, rng.randrange(count))


def _random_float(parameter: Float, rng: random.Random) -> float:
    low, high = parameter.low, parameter.high
    share = rng.random()
    if parameter.log:
        drawn = math.exp(math.log(low) * (1 - share) + math.log(high) * share)
    else:
        drawn = low * (1 - share) + high * share  # no `high - low`, which can overflow
    return min(max(drawn, low), high)


def corners(parameter: Parameter) -> tuple[Value, ...]:
    """The extreme values of a range, or every choice."""
    match parameter:
        case Fixed():
            return (parameter.value,)
        case Categorical():
            return parameter.choices
        case Float(step=None):
            return (parameter.low, parameter.high)
        case _:
            count = num_values(parameter)
            assert count is not None
            return (value_at(parameter, 0), value_at(parameter, count - 1))


def describe(parameter: Parameter) -> str:
    """The domain in a few words, for messages."""
    match parameter:
        case Fixed():
            return show(parameter.value)
        case Categorical():
            return "one of " + ", ".join(map(show, parameter.choices))
        case Float() | Int():
            return f"between {show(parameter.low)} and {show(parameter.high)}"


def show(value: object) -> str:
    """A value as it would stand in a sweep file, cut to about 60 characters; containers by their kind."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case int() | float():
            return str(value)
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return type(value).__name__
