"""Constraint expressions as frozen nodes that evaluate themselves over dotted names; never handed to Python.

Made by `grammar.parse_expression`; evaluated by `SearchSpace`. Knows no text but the constraint's own.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.errors import UsageError
from orchestrator.space.values import same_value
from orchestrator.trial import Value


class ExpressionError(UsageError):
    """A constraint that cannot be read. `column` counts from 1 inside the expression."""

    def __init__(self, what: str, column: int) -> None:
        self.what = what
        self.column = column
        super().__init__(f"column {column}: {what}")


class Kind(StrEnum):
    """What an expression yields."""

    NUMBER = "a number"
    TEXT = "text"
    TRUTH = "true or false"


def kind_of(value: Value) -> Kind:
    """The kind of a plain value."""
    if isinstance(value, bool):
        return Kind.TRUTH
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


class _NotANumberError(ArithmeticError):
    """Arithmetic or order on text or truth values: such a constraint does not hold."""


_Order = Callable[[float, float], bool]
_ORDERS: Mapping[str, _Order] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "max": max,
    "abs": lambda numbers: abs(numbers[0]),
}


def _number(value: Value) -> float:
    if isinstance(value, bool | str):
        raise _NotANumberError
    return value


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true or false."""

    value: Value
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """The value itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name."""

    name: str
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """The value that the name has."""
        return values[self.name]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left op right`."""

    op: str
    left: "Node"
    right: "Node"
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """A number."""
        return _ARITHMETIC[self.op](_number(self.left.evaluate(values)), _number(self.right.evaluate(values)))


@dataclass(frozen=True, slots=True)
class Call:
    """`min(...)`, `max(...)` or `abs(x)`."""

    function: str
    arguments: tuple["Node", ...]
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """A number."""
        return FUNCTIONS[self.function]([_number(argument.evaluate(values)) for argument in self.arguments])


@dataclass(frozen=True, slots=True)
class Negate:
    """`-operand`."""

    operand: "Node"
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """A number."""
        return -_number(self.operand.evaluate(values))


@dataclass(frozen=True, slots=True)
class Compare:
    """`first op1 term1 op2 term2 ...`, true when each neighbouring pair is."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """True or false."""
        left = self.first.evaluate(values)
        for op, term in self.rest:
            right = term.evaluate(values)
            if not _compare(op, left, right):
                return False
            left = right
        return True


def _compare(op: str, left: Value, right: Value) -> bool:
    if op in _ORDERS:
        return _ORDERS[op](_number(left), _number(right))
    return same_value(left, right) is (op == "==")


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two or more operands, or `not` over one."""

    op: str
    operands: tuple["Node", ...]
    column: int

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """True or false."""
        if self.op == "not":
            return self.operands[0].evaluate(values) is not True
        every = self.op == "and"
        for operand in self.operands:
            if (operand.evaluate(values) is True) is not every:
                return not every
        return every


Node = Literal | Name | Arithmetic | Call | Negate | Compare | Logic


@dataclass(frozen=True, slots=True)
class Expression:
    """One constraint: its text, its nodes and the names that it reads, in order."""

    text: str
    root: Node
    names: tuple[Name, ...]

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is true of `values`, which has every name. Arithmetic that fails (division by 0) is false."""
        try:
            return self.root.evaluate(values) is True
        except ArithmeticError:
            return False
