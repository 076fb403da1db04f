"""All rules over one question: order, severity, and what the file answers with `lint: ignore`."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import SpecError
from orchestrator.sweeps.checks import check_file
from orchestrator.sweeps.lint.judge import lint
from orchestrator.sweeps.lint.question import Facts, Question
from orchestrator.sweeps.lint.rule import Severity
from tests.support.questions import ROOT
from tests.support.twins import FACTS, GOOD, report, rules

FILES = sorted((ROOT / "search_spaces").glob("*.yaml"))
SHOWS_A_MISTAKE = {"adapter_note000", "identification_note001", "incremental_note003", "multitask_note002"}
"""Files that repeat what a note got wrong, and keep their warnings."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_passes_unless_it_shows_a_mistake(path):
    made = lint(Question.of(check_file(path, directory=ROOT)))

    assert not made.is_refused
    assert bool(made.grave) == (path.stem in SHOWS_A_MISTAKE), [str(one) for one in made.grave]


def test_advice_comes_in_the_order_of_the_file():
    text = GOOD.replace("low: 1e-4, high: 1e-2, log: true", "low: 1e-5, high: 1e-2")
    text = text.replace("patience: 5", "patience: 30")
    found = report(text=text).advice

    assert [one.rule for one in found] == ["ORC101", "ORC124"]
    assert [one.fault.line for one in found] == [5, 13]


def test_an_answer_in_the_file_silences_a_rule_and_is_kept():
    made = report("stop.0.patience=30", "lint={ignore: {ORC124: a pilot}}")

    assert made.advice == ()
    assert [one.rule for one in made.ignored] == ["ORC124"]


def test_an_error_can_be_answered_too():
    assert report("floors={val/macro_f1: 30}").is_refused
    assert not report("floors={val/macro_f1: 30}", "lint={ignore: {ORC161: a test of floors}}").is_refused


def test_an_answer_to_nothing_is_told():
    made = report("lint={ignore: {ORC101: wide on purpose, ORC999: a typing error}}")

    assert {one.fault.what for one in made.advice} == {
        "ORC101 (wide-range-not-log) has nothing to say here",
        "there is no rule ORC999",
    }
    assert {one.rule for one in made.advice} == {"ORC100"}


def test_a_misspelt_rule_gets_the_one_that_is_near():
    (one,) = report("lint={ignore: {ORC421: a typing error}}").advice

    assert one.fault.hint.startswith("did you mean 'ORC")


def test_an_answer_to_a_rule_about_machines_may_wait_for_its_machine():
    ignore = "lint={ignore: {ORC151: the disk is shared}}"
    assert rules(ignore) == []
    assert rules(ignore, facts=replace(FACTS, free_bytes=1)) == []


def test_notes_are_not_grave():
    made = report("confirm=null")

    assert [one.rule for one in made.of(Severity.NOTE)] == ["ORC165"]
    assert made.grave == ()


def test_plain_values():
    told = report("stop.0.patience=30").to_json()

    assert (told["errors"], told["warnings"], told["notes"], told["ignored"]) == (0, 1, 0, [])
    (one,) = told["advice"]
    assert one["rule"] == "ORC124"
    assert one["path"] == "stop[0].patience"
    assert one["edit"] == "patience: 10"


KEYS = {
    "budget.trials": ["1", "2", "50"],
    "budget.epochs": ["1", "10000"],
    "budget.gpu_hours": ["0.01"],
    "sampler": ["{type: gp}", "{type: cmaes}", "{type: qmc}", "{type: nsga2}", "{type: random}", "{type: tpe}"],
    "pruner": [
        "{type: none}",
        "{type: hyperband, max_epochs: 9}",
        "{type: percentile, min_epochs: 0}",
        "{type: patient, patience: 1, pruner: {type: asha}}",
        "{type: wilcoxon, min_epochs: 0}",
    ],
    "config.epochs": ["1", "1000"],
    "config.data.num_val": ["8", "2000"],
    "constraints": ["[]", "['optimizer.lr < 1e-4']", "['optimizer.lr > 0']"],
    "confirm": ["{}", "{top: 50, max_trials: 6}"],
    "repeats": ["1", "4"],
    "stop": ["[]", "[{type: target, value: 7}, {type: max_epochs, epochs: 1}]"],
    "objective.direction": ["minimize", "maximize"],
    "resources.max_concurrent": ["1", "64"],
    "space.epochs": ["{type: int, low: 1, high: 9}"],
    "space.optimizer.lr": ["{type: float, low: 1e-300, high: 1e-2}", "{type: fixed, value: 1e-3}"],
    "space.batch_size": ["{type: categorical, choices: [2]}", "{type: int, low: 2, high: 65536, log: true}"],
}
EDITS = st.lists(st.sampled_from([f"{key}={value}" for key, values in KEYS.items() for value in values]), max_size=5)
SIZE = st.none() | st.integers(0, 2**40)
SECONDS = st.none() | st.floats(0, 1e5)
FACT_SETS = st.builds(Facts, st.none() | st.integers(1, 99), SIZE, SIZE, SECONDS, SECONDS, SECONDS)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(path=st.sampled_from(FILES), edits=EDITS, facts=FACT_SETS)
def test_no_rule_crashes_on_a_valid_file(path: Path, edits, facts):
    try:
        checked = check_file(path, overrides=edits, directory=ROOT)
    except SpecError:
        return
    made = lint(Question.of(checked, facts=facts))
    again = lint(Question.of(checked, facts=facts))

    assert made == again
    assert all(str(one) and one.fault.path for one in made.advice)
