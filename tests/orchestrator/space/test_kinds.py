"""Constraints that could never make sense for what their names are."""

import pytest

from orchestrator.space import Categorical, ExpressionError, Kind, check_kinds, parameter_kinds, parse_expression

KINDS = {
    "n": frozenset({Kind.NUMBER}),
    "kind": frozenset({Kind.TEXT}),
    "use": frozenset({Kind.TRUTH}),
    "mixed": parameter_kinds(Categorical(type="categorical", choices=(1, "auto"))),
}


@pytest.mark.parametrize(
    "text",
    ["n > 1", "use", "not use and n > 1", "kind == 'a'", "mixed == 'auto' or mixed > 1", "use == true", "-n < abs(n)"],
)
def test_sensible_constraints_pass(text):
    check_kinds(parse_expression(text), KINDS)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("kind > 1", 1, "kind is text; needed: a number"),
        ("1 < n + kind", 9, "kind is text; needed: a number"),
        ("n > 1 and n", 11, "n is a number; needed: true or false"),
        ("kind == 3", 9, "kind is text and 3 is a number; they are never equal"),
        ("use == 1", 8, "never equal"),
        ("n + 1", 1, "a constraint is a comparison"),
        ("kind", 1, "not a comparison"),
        ("-use > 0", 2, "use is true or false; needed: a number"),
        ("max(n, 'a') > 0", 8, "'a' is text"),
        ("not n", 5, "needed: true or false"),
    ],
)
def test_refusals(text, column, words):
    with pytest.raises(ExpressionError) as caught:
        check_kinds(parse_expression(text), KINDS)
    assert words in caught.value.what
    assert caught.value.column == column
