"""Strict YAML: scalars of YAML 1.2, places, limits, and nothing but SpecError."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import SpecError
from orchestrator.spec.reading import read


def faults(text):
    with pytest.raises(SpecError) as caught:
        read(text, origin="f.yaml")
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5e+3", -1500.0),
        ("010", 10),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("-.inf", -math.inf),
        ("+.INF", math.inf),
        ("e5", "e5"),
        ("1e", "1e"),
        ("1e999", math.inf),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_scalars(text, value):
    read_value = read(f"a: {text}", origin="f.yaml").data()["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_nan():
    assert math.isnan(read("a: .nan", origin="f.yaml").data()["a"])


def test_places_of_keys_and_values():
    root = read("a: 1\nb:\n  c.d: [x, {e: 2}]\n", origin="f.yaml")
    assert root.data() == {"a": 1, "b": {"c.d": ["x", {"e": 2}]}}
    places = {path: root.fault(path, "") for path in [("a",), ("b",), ("b", "c.d", 0), ("b", "c.d", 1, "e")]}
    assert [(fault.line, fault.column) for fault in places.values()] == [(1, 4), (2, 1), (3, 9), (3, 16)]
    key = root.fault(("b", "c.d", 1, "e"), "", at_key=True)
    assert (key.line, key.column, key.path) == (3, 13, "b.c.d[1].e")
    assert root.fault(("b", "missing"), "").line == 2


def test_a_byte_order_mark_is_dropped():
    assert read("\ufeffa: 1", origin="f.yaml").data() == {"a": 1}


def test_an_alias_is_the_value_of_its_anchor():
    assert read("a: &x [1, 2]\nb: *x", origin="f.yaml").data() == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a:\n\tb: 1", 2, 1, "a tab in the indentation"),
        ("a:\n  b: 1\n \tc: 2", 3, 2, "a tab in the indentation"),
        ("a: 1\na: 2", 2, 1, "duplicate key 'a'; it already stands in line 1"),
        ("a: {b: 1, b: 2}", 1, 11, "duplicate key 'b'"),
        ("1: x", 1, 1, "the key 1 is not text"),
        ("true: x", 1, 1, "the key true is not text"),
        ("? [a]\n: 1", 1, 3, "a key must be plain text"),
        ("b: &b {x: 1}\na:\n  <<: *b", 3, 3, "merge keys"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
        ("a: !!python/object/apply:os.system [x]", 1, 4, "the tag"),
        ("a: !mine 1", 1, 4, "the tag !mine"),
        ("a: *nowhere", 1, 4, "has no anchor"),
        ("a: &x [*x]", 1, 8, "contains itself"),
        ("a: [1, 2", 1, 9, "not valid YAML"),
        ("a: b: c", 1, 5, "mapping values are not allowed"),
        ("a: 1\n  b: 2", 2, 4, "mapping values are not allowed"),
        ("a: @x", 1, 4, "cannot start any token"),
        ("a: 'x", 1, 6, "unexpected end of stream"),
        ("a: 1\nb: \x07", 2, 4, "U+0007"),
        ("a: 92233720368547758080", 1, 4, "out of range"),
        ("a: " + "9" * 5000, 1, 4, "too long"),
        ("a: " + "[" * 25 + "]" * 25, 1, 23, "nested more than 20"),
        ("%YAML 2.0\n---\na: 1", 1, 1, "incompatible"),
    ],
)
def test_faults_and_their_places(text, line, column, words):
    (fault,) = faults(text)
    assert words in fault.what
    assert (fault.file, fault.line, fault.column) == ("f.yaml", line, column)


def test_duplicate_and_odd_keys_are_reported_together():
    assert [fault.line for fault in faults("a: 1\na: 2\n3: x\n<<: y\nb: {c: 1, c: 2}")] == [2, 3, 4, 5]


def test_bombs_of_aliases_end_early():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "values once aliases are followed" in faults("\n".join(lines))[0].what
    many = "a: &x 1\nb: [" + ", ".join(["*x"] * 101) + "]"
    assert "more than 100 aliases" in faults(many)[0].what
    deep = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 25))])
    assert "nested more than 20" in faults(deep)[0].what


def test_large_texts_are_refused():
    assert "at most 1000000" in faults("a: " + "x" * 1_000_001)[0].what


@settings(deadline=None)
@given(st.text())
def test_arbitrary_text_gives_values_or_faults(text):
    try:
        read(text, origin="f.yaml")
    except SpecError as error:
        assert error.faults


@settings(deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#,? \t\n01.", max_size=60))
def test_yaml_like_text_gives_values_or_faults(text):
    try:
        read(text, origin="f.yaml")
    except SpecError as error:
        assert error.faults
