"""Rules about the domain of one parameter: its scale, its bounds, its choices."""

from collections.abc import Iterator
from itertools import combinations
from math import isclose

from orchestrator.space import Categorical, Float, Int, show
from orchestrator.spec.config_fields import field_types
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from orchestrator.trial import Value

MAX_LINEAR_RATIO = 100.0
MIN_RATIO = 1.05
NEAR = 0.01
"""How far from a field's limit, as a fraction, an end still counts as on it."""
UNIT = 1.0
"""Limits within [-1, 1] are a share's or a cosine's: to search all of them is no mistake."""


def wide_range_not_log(question: Question) -> Iterator[Hit]:
    """Positive ranges over two decades on a linear scale."""
    for name, parameter in question.spec.space.items():
        if not isinstance(parameter, Float | Int) or parameter.log or parameter.low <= 0:
            continue
        ratio = parameter.high / parameter.low
        if ratio > MAX_LINEAR_RATIO:
            share = (10 * parameter.low - parameter.low) / (parameter.high - parameter.low)
            what = (
                f"{parameter.low:g} to {parameter.high:g} is a factor of {ratio:.3g} on a linear scale: "
                f"only {100 * share:.2g} % of the draws fall into the lowest decade"
            )
            yield Hit(("space", name), what, "log: true" if parameter.step in (None, 1) else "log: true, without step")


def narrow_range(question: Question) -> Iterator[Hit]:
    """Positive ranges whose ends are nearly the same number."""
    for name, parameter in question.spec.space.items():
        if isinstance(parameter, Float) and parameter.low > 0 and parameter.high / parameter.low < MIN_RATIO:
            percent = parameter.high / parameter.low - 1
            what = f"{parameter.low:g} to {parameter.high:g}: the ends differ by {percent:.2g} of their value"
            yield Hit(("space", name), what, f"{{type: fixed, value: {parameter.low:g}}}, or a wider range")


def bounds_of_the_field(question: Question) -> Iterator[Hit]:
    """Ranges that are all that the Config's field accepts: limits against typing errors, not a question."""
    for name, parameter in question.spec.space.items():
        if not isinstance(parameter, Float | Int):
            continue
        limits = _limits(question, name)
        if limits is None or (abs(limits[0]) <= UNIT and abs(limits[1]) <= UNIT):
            continue
        low, high = limits
        ends = ((parameter.low, low), (parameter.high, high))
        if all(isclose(end, limit, rel_tol=NEAR, abs_tol=1e-6 * (high - low)) for end, limit in ends):
            what = f"{parameter.low:g} to {parameter.high:g} is everything that the field accepts"
            yield Hit(("space", name), what, "a range around a value that has worked")


def _limits(question: Question, name: str) -> tuple[float, float] | None:
    """The least and the largest number that a field takes; None where one of them is open."""
    for kind in field_types(question.config_type, name):
        found: dict[str, float] = {}
        for note in getattr(kind, "__metadata__", ()):
            for end, attributes in {"low": ("gt", "ge"), "high": ("lt", "le")}.items():
                for attribute in attributes:
                    limit = getattr(note, attribute, None)
                    if isinstance(limit, int | float):
                        found[end] = float(limit)
        if len(found) == 2:
            return found["low"], found["high"]
    return None


def choices_differ_in_type(question: Question) -> Iterator[Hit]:
    """Choices that a person would read as the same: `1` and `"1"`, `true` and `"true"`, `0.3` and `0.30000000001`."""
    for name, parameter in question.spec.space.items():
        if not isinstance(parameter, Categorical):
            continue
        for (_, a), (position, b) in combinations(enumerate(parameter.choices), 2):
            if _reads_the_same(a, b):
                what = f"{show(a)} and {show(b)} differ only in how they are written"
                yield Hit(("space", name, "choices", position), what, f"leave out {show(b)}")


def _reads_the_same(a: Value, b: Value) -> bool:
    if isinstance(a, float | int) and isinstance(b, float | int):
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    return _plain(a) == _plain(b)


def _plain(value: Value) -> str | float:
    text = str(value).strip().lower()
    try:
        return float(text)
    except ValueError:
        return text


def single_choice(question: Question) -> Iterator[Hit]:
    """A categorical with one choice."""
    for name, parameter in question.spec.space.items():
        if isinstance(parameter, Categorical) and len(parameter.choices) == 1:
            only = show(parameter.choices[0])
            what = f"the only choice is {only}, so there is nothing to search"
            yield Hit(("space", name, "choices"), what, f"{{type: fixed, value: {only}}}")


RULES = (
    Rule(
        id="ORC101",
        name="wide-range-not-log",
        severity=Severity.WARNING,
        title="A positive range whose ends differ by more than a factor of 100 is searched on a linear scale.",
        why="Draws are uniform. Of a linear range from 1e-5 to 1e-2 only 1 % lies below 1e-4, so that three decades "
        "are "
        "promised and one is searched. Learning rates, weight decay and temperatures act by their factor.",
        fix="Add `log: true`. Ignore the rule for a quantity whose differences matter, such as a number of items.",
        bad="optimizer.lr: {type: float, low: 1e-5, high: 1e-2}",
        good="optimizer.lr: {type: float, low: 1e-5, high: 1e-2, log: true}",
        source="Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization, JMLR 13: rates are drawn "
        "exponentially. The factor of 100 is ours.",
        check=wide_range_not_log,
    ),
    Rule(
        id="ORC102",
        name="narrow-range",
        severity=Severity.WARNING,
        title="The ends of a positive range differ by less than 5 %.",
        why="No metric of a training that is repeated with another seed stands still to that degree: the search would "
        "order noise, and each dimension costs trials.",
        fix="Fix the value under `config:`, or widen the range.",
        bad="temperature.start: {type: float, low: 0.10, high: 0.102}",
        good="temperature.start: {type: float, low: 0.05, high: 0.2, log: true}",
        source="A convention of ours.",
        check=narrow_range,
    ),
    Rule(
        id="ORC103",
        name="choices-differ-in-type",
        severity=Severity.WARNING,
        title='Two choices are the same to a reader: `1` and `"1"`, `true` and `"true"`, `0.3` and `0.3000000001`.',
        why="They count as two values: the sampler learns about each from half of the trials, a grid runs both, and "
        "the "
        "report shows two rows that look alike. Most often one of them is a typing error.",
        fix="Leave one of them out. If the trainable really tells them apart, give them names that a reader can.",
        bad='layers: {type: categorical, choices: [1, "1", 2]}',
        good="layers: {type: categorical, choices: [1, 2]}",
        source='YAML 1.2 tells `1` from `"1"`; equal values of one type are refused before lint.',
        check=choices_differ_in_type,
    ),
    Rule(
        id="ORC104",
        name="whole-field-range",
        severity=Severity.WARNING,
        title="A range is everything that the Config's field accepts, and that is more than a share or a cosine.",
        why="A field's limits catch typing errors; they are far wider than any question. A sampler spends most of its "
        "trials where nothing can work. A range beyond the limits is refused before lint.",
        fix="Search around a value that has worked, one or two decades wide.",
        bad="temperature.start: {type: float, low: 0.001, high: 100, log: true}",
        good="temperature.start: {type: float, low: 0.03, high: 0.3, log: true}",
        source="The limits are those of the trainable's Config (`orch schema TRAINABLE`).",
        check=bounds_of_the_field,
    ),
    Rule(
        id="ORC105",
        name="single-choice",
        severity=Severity.WARNING,
        title="A categorical has one choice.",
        why="It looks like a searched parameter in every table and plot, and cannot differ between trials.",
        fix="Set it under `config:`, or as `{type: fixed}` if conditions name it.",
        bad="margin.kind: {type: categorical, choices: [linear]}",
        good="margin.kind: {type: fixed, value: linear}",
        source="A convention of ours.",
        check=single_choice,
    ),
)
