"""Whether a constraint makes sense for what its names can be: no arithmetic on text, no order between words.

Called by the checks of a sweep file, after `parse_expression`.
"""

from collections.abc import Mapping

from orchestrator.space.expression import (
    Arithmetic,
    Call,
    Compare,
    Expression,
    ExpressionError,
    Kind,
    Literal,
    Logic,
    Name,
    Negate,
    Node,
    kind_of,
)
from orchestrator.space.parameters import Categorical, Fixed, Float, Int, Parameter
from orchestrator.space.values import show

Kinds = frozenset[Kind]


def parameter_kinds(parameter: Parameter) -> Kinds:
    """What the values of a parameter can be; choices may be mixed."""
    match parameter:
        case Float() | Int():
            return frozenset({Kind.NUMBER})
        case Fixed():
            return frozenset({kind_of(parameter.value)})
        case Categorical():
            return frozenset(map(kind_of, parameter.choices))


def check_kinds(expression: Expression, kinds: Mapping[str, Kinds]) -> None:
    """Refuse a constraint that no values of these kinds can satisfy.

    Args: expression: the constraint. kinds: for each of its names, what the name can be.
    Raises: ExpressionError: text or truth where a number is needed, a number where truth is, ...
    """
    found = _kinds(expression.root, kinds)
    if Kind.TRUTH not in found:
        what = f"this is {_words(found)}; a constraint is a comparison, such as {expression.text[:40]} > 0"
        raise ExpressionError(what if Kind.NUMBER in found else f"this is {_words(found)}, not a comparison", 1)


def _kinds(node: Node, kinds: Mapping[str, Kinds]) -> Kinds:
    match node:
        case Literal():
            return frozenset({kind_of(node.value)})
        case Name():
            return kinds[node.name]
        case Arithmetic():
            _need(Kind.NUMBER, (node.left, node.right), kinds)
            return frozenset({Kind.NUMBER})
        case Negate():
            _need(Kind.NUMBER, (node.operand,), kinds)
            return frozenset({Kind.NUMBER})
        case Call():
            _need(Kind.NUMBER, node.arguments, kinds)
            return frozenset({Kind.NUMBER})
        case Logic():
            _need(Kind.TRUTH, node.operands, kinds)
        case Compare():
            _check_comparison(node, kinds)
    return frozenset({Kind.TRUTH})


def _check_comparison(node: Compare, kinds: Mapping[str, Kinds]) -> None:
    left = node.first
    for op, right in node.rest:
        if op not in ("==", "!="):
            _need(Kind.NUMBER, (left, right), kinds)
        elif not (a := _kinds(left, kinds)) & (b := _kinds(right, kinds)):
            what = f"{_text(left)} is {_words(a)} and {_text(right)} is {_words(b)}; they are never equal"
            raise ExpressionError(what, right.column)
        left = right


def _need(kind: Kind, operands: tuple[Node, ...], kinds: Mapping[str, Kinds]) -> None:
    for operand in operands:
        found = _kinds(operand, kinds)
        if kind not in found:
            raise ExpressionError(f"{_text(operand)} is {_words(found)}; needed: {kind.value}", operand.column)


def _words(kinds: Kinds) -> str:
    return " or ".join(sorted(kind.value for kind in kinds))


def _text(node: Node) -> str:
    match node:
        case Name():
            return node.name
        case Literal():
            return show(node.value)
        case _:
            return "the expression here"
