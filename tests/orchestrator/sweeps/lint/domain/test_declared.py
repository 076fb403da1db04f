"""What a Config says of its own keys."""

from pydantic import BaseModel

from orchestrator.space import SearchSpace
from orchestrator.spec import parse
from orchestrator.sweeps.lint.domain.declared import unusable_roles
from orchestrator.sweeps.lint.question import Question
from tests.support.questions import own, said, shipped
from trainables.roles import Contrast, Temperature

FILE = """
name: own
trainable: somewhere:train
objective: {metric: val/x, direction: maximize}
space: {tau: {type: float, low: 0.1, high: 0.2}}
budget: {trials: 2}
"""


def asked(config_type: type[BaseModel]) -> list[str]:
    document = parse(FILE, file="own.yaml")
    question = Question(document, SearchSpace(document.spec.space), config_type, None)
    return [hit.what for hit in unusable_roles(question)]


class Silent(BaseModel):
    tau: float = 0.1


class Misspelt(Silent):
    def roles(self):
        return {"taau": Temperature(Contrast.CLIP)}


class Wordy(Silent):
    def roles(self):
        return {"tau": "a temperature"}


class Listed(Silent):
    def roles(self):
        return [Temperature(Contrast.CLIP)]


class WithAField(Silent):
    roles: str = "a field of this name is no method"


def test_what_cannot_be_used():
    assert asked(Misspelt) == [
        "roles() of its Config names taau, which the Config does not have: rules about embedding models do not see it"
    ]
    assert "gives tau str" in asked(Wordy)[0]
    assert "returned list" in asked(Listed)[0]


def test_nothing_need_be_said():
    assert asked(Silent) == asked(WithAField) == []
    assert said(shipped("multitask"), "ORC200") == []


def test_a_failure_is_told_once_and_breaks_no_rule():
    question = own({"tau": (5, 20)}, config={"mood": "bad"})

    assert said(question, "ORC200") == [
        "own.yaml:2:12 trainable: roles() of its Config raised RuntimeError: not in the mood: "
        "rules about embedding models do not see it"
    ]
    assert said(question, "ORC201") == []
