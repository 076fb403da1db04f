"""Questions for lint rules: shipped sweep files with overrides, and short ones for `embedder`."""

from pathlib import Path

import yaml

from orchestrator.spec import parse
from orchestrator.sweeps.checks import check, check_file
from orchestrator.sweeps.lint.domain import RULES
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Severity

ROOT = Path(__file__).parents[2]


def shipped(name: str, *overrides: str) -> Question:
    """A file of `search_spaces/`, each override as after `--set`."""
    path = ROOT / "search_spaces" / f"{name}.yaml"
    return Question.of(check_file(path, overrides=overrides, directory=ROOT))


def own(space: dict[str, object], **sections: object) -> Question:
    """A sweep of `embedder`; a pair of numbers is a range, a list the choices; other sections by keyword."""
    data = {
        "name": "own",
        "trainable": "tests.support.embedder:train",
        "objective": {"metric": "val/recall_at_1", "direction": "maximize"},
        "space": {key: _parameter(value) for key, value in space.items()},
        "sampler": {"type": "random"},
        "budget": {"trials": 8},
        **sections,
    }
    return Question.of(check(parse(yaml.safe_dump(data, sort_keys=False), file="own.yaml"), directory=ROOT))


def _parameter(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if isinstance(value, tuple):
        low, high = value
        return {"type": "float", "low": float(low), "high": float(high)}
    return {"type": "categorical", "choices": list(value)}


def said(question: Question, rule: str) -> list[str]:
    """What one domain rule says, with its place."""
    (asked,) = (one for one in RULES if one.id == rule)
    assert asked.check is not None
    return [str(question.document.fault(hit.path, hit.what, hit.edit)) for hit in asked.check(question)]


def raised(question: Question) -> set[str]:
    """The domain rules that warn or refuse."""
    return _speaking(question, notes=False)


def noted(question: Question) -> set[str]:
    """The domain rules that only note something."""
    return _speaking(question, notes=True)


def _speaking(question: Question, *, notes: bool) -> set[str]:
    asked = (rule for rule in RULES if (rule.severity is Severity.NOTE) is notes and rule.check is not None)
    return {rule.id for rule in asked if any(rule.check(question))}
