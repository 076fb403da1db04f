"""docs/findings.md is what the checks say, and cures name keys that are there."""

import re
from pathlib import Path

from pydantic import BaseModel

from trainables.health import CHECKS
from trainables.health.page import page
from trainables.registry import TRAINABLES, load_info

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_up_to_date():
    assert (DOCS / "findings.md").read_text() == page()


def test_the_page_has_every_check():
    assert re.findall(r"^## `(\w+)`$", page(), flags=re.MULTILINE) == list(CHECKS)


def keys(config_type, prefix=""):
    for name, field in config_type.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")


def test_the_keys_in_cures_are_keys_of_a_config():
    known = {key for name in TRAINABLES for key in keys(load_info(name).config_type)} | {"objective.metric"}
    named = {key for check in CHECKS.values() for key in re.findall(r"\b[a-z]\w*(?:\.[a-z]\w*)+", check.cure)}
    assert named
    assert named - known == set()
