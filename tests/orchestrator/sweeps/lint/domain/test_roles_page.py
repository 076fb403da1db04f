"""The page about `roles()`: its Config runs and is judged as the page says, and its table has every role and rule."""

import re
from typing import get_args

import yaml

from orchestrator.space import SearchSpace
from orchestrator.spec import parse
from orchestrator.sweeps.lint.domain import RULES
from orchestrator.sweeps.lint.question import Question
from tests.support.questions import ROOT, raised
from trainables.roles import Role

PAGE = (ROOT / "docs" / "lint" / "roles.md").read_text()


def question(space: dict[str, object]) -> Question:
    """A sweep of the page's Config."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # the page's own example
    data = {
        "name": "page",
        "trainable": "somewhere:train",
        "objective": {"metric": "val/x", "direction": "maximize"},
        "space": space,
        "budget": {"trials": 4},
    }
    document = parse(yaml.safe_dump(data), file="page.yaml")
    fixed = names["Config"]().model_dump()
    return Question(document, SearchSpace(document.spec.space, fixed=fixed), names["Config"], None)


def test_the_example_is_judged_as_the_page_says():
    hot = question({"tau": {"type": "float", "low": 5.0, "high": 20.0}})
    heavy = question({"caption_weight": {"type": "float", "low": 0.1, "high": 2.0}})
    sound = question({"tau": {"type": "float", "low": 0.01, "high": 0.1}})

    # 5 is 120 times the largest tuned NT-Xent temperature, too.
    assert raised(hot) == {"ORC201", "ORC202", "ORC203", "ORC252"}
    assert raised(heavy) == {"ORC221"}
    assert raised(sound) == set()


def test_the_table_has_every_role():
    assert [role.__name__ for role in get_args(Role) if f"`{role.__name__}(" not in PAGE] == []


def test_the_table_has_every_rule():
    named = set()
    for first, last in re.findall(r"(?:ORC)?(2\d\d)(?:-(2\d\d))?", PAGE):
        named |= {f"ORC{number}" for number in range(int(first), int(last or first) + 1)}

    assert {rule.id for rule in RULES} <= named
