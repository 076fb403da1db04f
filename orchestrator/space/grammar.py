"""The grammar of constraints: text to `Expression`, through a whitelist of Python's syntax tree.

Comparisons (also chained), `and or not`, `+ - * /`, numbers, text in quotes, `true` and `false`, parentheses, and
`min max abs`. Called by `SearchSpace` and by the checks of a sweep file.
"""

import ast
import warnings
from collections.abc import Mapping
from typing import ClassVar

from orchestrator.space.expression import (
    FUNCTIONS,
    Arithmetic,
    Call,
    Compare,
    Expression,
    ExpressionError,
    Literal,
    Logic,
    Name,
    Negate,
    Node,
)

MAX_LENGTH = 1000
MAX_DEPTH = 100


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
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
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
