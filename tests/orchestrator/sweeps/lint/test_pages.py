"""The pages about rules: complete, up to date, and their examples are YAML."""

import re
from pathlib import Path

import pytest
import yaml

from orchestrator.sweeps.lint.pages import index, page
from orchestrator.sweeps.lint.rule import Rule
from orchestrator.sweeps.lint.table import RULES

FOLDER = Path(__file__).parents[4] / "docs" / "lint"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_page_is_up_to_date(rule: Rule):
    assert (FOLDER / f"{rule.id}.md").read_text() == page(rule), "run `make docs`"


def test_the_index_is_up_to_date_and_no_page_is_left_over():
    assert (FOLDER / "README.md").read_text() == index(RULES), "run `make docs`"
    assert {path.stem for path in FOLDER.glob("ORC*.md")} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_examples_can_be_read(rule: Rule):
    for example in (rule.bad, rule.good):
        assert isinstance(yaml.safe_load(example), dict)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_is_whole(rule: Rule):
    assert re.fullmatch(r"ORC[12]\d\d", rule.id)
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", rule.name)
    assert all((rule.title, rule.why, rule.fix, rule.source))
