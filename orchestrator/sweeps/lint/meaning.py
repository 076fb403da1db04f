"""What a key means in this sweep: each key with its role and its value, in every whole config, and its place.

Rules ask by role, so that they need to know no task. Where a Config says nothing, there is nothing to find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from orchestrator.space import Categorical, Float, Int, same_value
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.whole_configs import WholeConfig
from orchestrator.trial import Value

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Use(Generic[R_co]):
    """One key in one whole config.

    Attributes:
        value: None where the key holds more than one value.
    """

    key: str
    role: R_co
    value: Value | None
    whole: WholeConfig

    @property
    def number(self) -> float | None:
        """The value, if it is a number."""
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return float(self.value) if is_number and self.value is not None else None


def uses(question: Question, kind: type[R]) -> list[Use[R]]:
    """Every key with this kind of role, in every whole config."""
    return [
        Use(key, role, value_of(whole.config, key), whole)
        for whole, roles in zip(question.configs, question.roles, strict=True)
        for key, role in roles.items()
        if isinstance(role, kind)
    ]


def by_key(found: Sequence[Use[R]]) -> dict[str, list[Use[R]]]:
    """The same by key, those with a number only, the least number first."""
    grouped: dict[str, list[Use[R]]] = {}
    for use in found:
        if use.number is not None:
            grouped.setdefault(use.key, []).append(use)
    return {key: sorted(same, key=lambda use: use.number or 0.0) for key, same in grouped.items()}


def role_keys(question: Question, kind: type[R]) -> list[str]:
    """The keys that have this kind of role in any whole config."""
    return list(dict.fromkeys(use.key for use in uses(question, kind)))


def value_of(config: object, key: str) -> Value | None:
    """The plain value of a dotted key; None where there is none."""
    here = config
    for part in key.split("."):
        here = here.get(part) if isinstance(here, Mapping) else getattr(here, part, None)
    if isinstance(here, Enum):
        here = here.value
    return here if isinstance(here, bool | int | float | str) else None


def place(question: Question, key: str, value: Value | None = None) -> Path:
    """Where the file says that `key` is `value`; of a key that holds several, the first number that is searched."""
    below = [name for name in question.spec.space if name.startswith(f"{key}.")]
    if key not in question.spec.space and below:
        numeric = [name for name in below if isinstance(question.spec.space[name], Float | Int)]
        return ("space", (numeric or below)[0])
    parameter = question.spec.space.get(key)
    if parameter is None:
        return ("config", *key.split("."))
    if isinstance(parameter, Categorical) and value is not None:
        positions = [n for n, choice in enumerate(parameter.choices) if same_value(choice, value)]
        return ("space", key, "choices", positions[0]) if positions else ("space", key)
    reach = question.reach(key)
    if reach is not None and reach.is_searched and value in (reach.low, reach.high):
        return reach.path("low" if value == reach.low else "high")
    return ("space", key)


def span(question: Question, key: str, low: float, high: float) -> str:
    """How a sweep file would say that a key is between two numbers, or is one of them."""
    if question.is_searched(key):
        return f"low: {low:.3g}, high: {high:.3g}"
    return f"{key.rpartition('.')[2]}: {low if low == high else (low * high) ** 0.5:.3g}"
