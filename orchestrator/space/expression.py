"""Constraint expressions: a small grammar over dotted names, parsed into frozen nodes and never handed to Python.

Comparisons (also chained), `and or not`, `+ - * /`, numbers, text in quotes, `true` and `false`, parentheses, and
`min max abs`. Called by `SearchSpace` and by the checks of a sweep file.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from orchestrator.errors import UsageError
from orchestrator.space.values import same_value
from orchestrator.trial import Value

MAX_LENGTH = 1000
MAX_DEPTH = 100


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
_FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
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
        return _FUNCTIONS[self.function]([_number(argument.evaluate(values)) for argument in self.arguments])


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


class _Reader:
    """Turns Python's syntax tree into ours, through a whitelist."""

    _ORDER_SIGNS: ClassVar[Mapping[type[ast.cmpop], str]] = {
        ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    }  # fmt: skip
    _SIGNS: ClassVar[Mapping[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()
        self.names: list[Name] = []

    def read(self, node: ast.expr, depth: int = 0) -> Node:
        """Raises ExpressionError for anything outside the grammar."""
        column = self._column(node)
        if depth > MAX_DEPTH:
            raise ExpressionError("too deeply nested", column)
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.Compare():
                return self._comparison(node, depth)
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                return Logic(word, tuple(self.read(value, depth + 1) for value in node.values), column)
            case ast.UnaryOp(op=ast.Not()):
                return Logic("not", (self.read(node.operand, depth + 1),), column)
            case ast.UnaryOp(op=ast.USub()):
                return Negate(self.read(node.operand, depth + 1), column)
            case ast.BinOp(op=op) if type(op) in self._SIGNS:
                left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
                return Arithmetic(self._SIGNS[type(op)], left, right, column)
            case ast.Call():
                return self._call(node, depth)
            case _:
                raise ExpressionError(_refusal(node), column)

    def _column(self, node: ast.expr) -> int:
        return len(self._bytes[: node.col_offset].decode(errors="ignore")) + 1

    def _literal(self, node: ast.Constant) -> Literal:
        if isinstance(node.value, bool):
            raise ExpressionError(f"write {str(node.value).lower()} instead of {node.value}", self._column(node))
        if not isinstance(node.value, int | float | str):
            raise ExpressionError("only numbers, text, true and false can stand here", self._column(node))
        return Literal(node.value, self._column(node))

    def _name(self, node: ast.Name | ast.Attribute) -> Node:
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise ExpressionError("a '.' may only join the parts of a name", self._column(node))
        dotted = ".".join([inner.id, *reversed(parts)])
        if dotted in ("true", "false"):
            return Literal(dotted == "true", self._column(node))
        name = Name(dotted, self._column(node))
        self.names.append(name)
        return name

    def _comparison(self, node: ast.Compare, depth: int) -> Compare:
        signs = [self._ORDER_SIGNS.get(type(op)) for op in node.ops]
        first = self.read(node.left, depth + 1)
        terms = [self.read(term, depth + 1) for term in node.comparators]
        rest = tuple((sign, term) for sign, term in zip(signs, terms, strict=True) if sign is not None)
        if len(rest) != len(terms):
            raise ExpressionError("compare with < <= > >= == or !=", self._column(node))
        return Compare(first, rest, self._column(node))

    def _call(self, node: ast.Call, depth: int) -> Call:
        column = self._column(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
            raise ExpressionError("the only functions are min, max and abs", column)
        function = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise ExpressionError(f"{function} takes plain arguments", column)
        if len(node.args) < 1 or (function == "abs" and len(node.args) != 1):
            raise ExpressionError(f"{function} takes {'one argument' if function == 'abs' else 'arguments'}", column)
        return Call(function, tuple(self.read(argument, depth + 1) for argument in node.args), column)


def _refusal(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp):
        return "the only arithmetic is + - * /"
    return "only names, numbers, text, comparisons, and/or/not, + - * /, min, max and abs are allowed"


def parse_expression(text: str) -> Expression:
    """Read one constraint.

    Raises: ExpressionError: not in the grammar, over 1,000 characters or nested over 100 deep.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"{len(text)} characters; at most {MAX_LENGTH} are allowed", 1)
    flat = " ".join(text.split("\n"))
    stripped = flat.lstrip()
    indent = len(flat) - len(stripped)
    if not stripped.strip():
        raise ExpressionError("empty", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # the parser warns of odd escapes and `1or 2`, which are refused or harmless
            tree = ast.parse(stripped, mode="eval")
    except SyntaxError as error:
        column = error.offset if error.offset and error.offset <= len(stripped) else len(stripped)
        raise ExpressionError(f"not an expression: {_reason(error)}", column + indent) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("not an expression", 1) from None
    reader = _Reader(stripped)
    try:
        root = reader.read(tree.body)
    except ExpressionError as error:
        raise ExpressionError(error.what, error.column + indent) from None
    return Expression(text, root, tuple(reader.names))


def _reason(error: SyntaxError) -> str:
    if "Maybe you meant '=='" in error.msg:
        return "'=' does not compare; write =="
    return error.msg.split(".")[0]
