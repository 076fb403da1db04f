"""The constraint grammar, against Python's own evaluation and against what must be refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.space import ExpressionError, parse_expression

NAMES = {"a": 2, "b": -1.5, "c": 0, "d": 1000}

numbers = st.one_of(
    st.integers(-9, 9).map(lambda n: f"({n})"),
    st.sampled_from(["0.5", "1e-3", "2.25"]),
    st.sampled_from(sorted(NAMES)),
)
arithmetic = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"(-{x})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        inner.map(lambda x: f"abs({x})"),
    ),
    max_leaves=6,
)
comparisons = st.tuples(
    arithmetic,
    st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic), min_size=1, max_size=3),
).map(lambda t: " ".join([t[0], *(f"{op} {term}" for op, term in t[1])]))
truths = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda x: f"not ({x})"),
    ),
    max_leaves=4,
)


@settings(deadline=None)
@given(truths)
def test_agrees_with_python(text):
    try:
        expected = eval(text, {"__builtins__": {}, "min": min, "max": max, "abs": abs}, dict(NAMES))
    except ArithmeticError:
        expected = False
    assert parse_expression(text).holds(NAMES) is expected


@settings(deadline=None)
@given(st.text(max_size=40))
def test_arbitrary_text_is_read_or_refused(text):
    try:
        parse_expression(text)
    except ExpressionError as error:
        assert error.column >= 1


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "empty"),
        ("a >", 3, "not an expression"),
        ("a = 1", 3, "not an expression"),
        ("a > 1)", 6, "unmatched"),
        ("a.b > 'x", 7, "unterminated"),
        ("  a >> b", 3, "only arithmetic"),
        ("1 < a ** 2", 5, "only arithmetic"),
        ("b < f(a)", 5, "only functions"),
        ("abs(1, 2) > 1", 1, "one argument"),
        ("max(x=1) > 1", 1, "plain arguments"),
        ("min() > 1", 1, "takes arguments"),
        ("1 > min(*a)", 5, "plain arguments"),
        ("a is b", 1, "compare with"),
        ("a in b", 1, "compare with"),
        ("use == True", 8, "write true"),
        ("a == None", 6, "only numbers"),
        ("a == b'x'", 6, "only numbers"),
        ("f'{a}' == 1", 1, "only names"),
        ("a[0] > 1", 1, "only names"),
        ("(lambda: 1) == 1", 2, "only names"),
        ("a if b else c", 1, "only names"),
        ("'a'.b > 1", 1, "join the parts"),
        ("ü.x > ~ä", 7, "only names"),
        ("__import__('os').system('x') > 1", 1, "only functions"),
        ("a > " + "1 + " * 300 + "1", 1, "at most 1000"),
        ("-" * 200 + "a > 1", 101, "too deeply nested"),
        ("(" * 300 + "a" + ")" * 300, 201, "too many nested"),
    ],
)
def test_refusals_name_the_column(text, column, words):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert words in caught.value.what
    assert caught.value.column == column


def test_names_are_dotted_and_in_order():
    names = parse_expression("loss.a < 2 * loss.b and margin.kind == 'x'").names
    assert [(name.name, name.column) for name in names] == [("loss.a", 1), ("loss.b", 14), ("margin.kind", 25)]
