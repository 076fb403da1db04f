"""Numbers, durations, parameters and JSON as text."""

import json
import math

import pytest

from orchestrator.cli.output import duration, number, params_text, print_json, short_names, spread, table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0.0 s"), (4.23, "4.2 s"), (59.9, "59.9 s"), (60, "1:00"), (187, "3:07"), (8100, "2:15:00")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0, "0"), (0.98134, "0.9813"), (1e-7, "1e-07"), (123456.0, "1.235e+05")]
)
def test_numbers_have_four_digits(value, text):
    assert number(value) == text


def test_a_number_that_is_none_is_shown_as_it_is():
    assert number(math.nan) == "nan"


def test_parameters_on_one_line():
    assert params_text({"lr": 3.14159e-4, "layers": 2, "kind": "linear", "bias": True}) == (
        "lr=0.000314 layers=2 kind=linear bias=True"
    )


def test_short_names_are_the_shortest_endings_that_one_parameter_has():
    names = ["optimizer.lr", "margin.end", "temperature.end", "seed"]

    assert short_names(names) == {
        "optimizer.lr": "lr",
        "margin.end": "margin.end",
        "temperature.end": "temperature.end",
        "seed": "seed",
    }


def test_a_name_that_another_ends_with_is_left_whole():
    assert short_names(["lr", "optimizer.lr"]) == {"lr": "lr", "optimizer.lr": "optimizer.lr"}


@pytest.mark.parametrize(("size", "count", "kept"), [(3, 6, [0, 1, 2]), (6, 6, list(range(6))), (21, 3, [0, 10, 20])])
def test_spread_keeps_the_ends(size, count, kept):
    assert spread(range(size), count) == kept


def test_json_has_no_nan(capsys):
    print_json({"a": math.nan, "b": [math.inf, 1.5], "c": ({"d": -math.inf},)})

    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 1.5], "c": [{"d": None}]}


def test_numeric_columns_stand_right():
    columns = table("name", "value", numeric=("value",)).columns

    assert [column.justify for column in columns] == ["left", "right"]
