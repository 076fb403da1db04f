"""All rules over one question: what they say, in file order, and what the file answers to that with `lint: ignore`.

Called by the use cases that start or check a sweep. Knows the table of rules, and none of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.spec.wording import did_you_mean
from orchestrator.sweeps.lint.ignores import IDLE_IGNORE
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Advice, Hit, Rule, Severity
from orchestrator.sweeps.lint.table import RULES
from orchestrator.trial import JsonValue


@dataclass(frozen=True, slots=True)
class Report:
    """What lint says of one file.

    Attributes:
        advice: in the order of the file.
        ignored: what the file itself answers with a reason.
    """

    advice: tuple[Advice, ...]
    ignored: tuple[Advice, ...]

    def of(self, severity: Severity) -> tuple[Advice, ...]:
        """The advice of one severity."""
        return tuple(one for one in self.advice if one.severity is severity)

    @property
    def is_refused(self) -> bool:
        """Whether the sweep must not start."""
        return bool(self.of(Severity.ERROR))

    @property
    def grave(self) -> tuple[Advice, ...]:
        """All but the notes."""
        return tuple(one for one in self.advice if one.severity is not Severity.NOTE)

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "errors": len(self.of(Severity.ERROR)),
            "warnings": len(self.of(Severity.WARNING)),
            "notes": len(self.of(Severity.NOTE)),
            "advice": [one.to_json() for one in self.advice],
            "ignored": [one.to_json() for one in self.ignored],
        }


def lint(question: Question, *, rules: Mapping[str, Rule] = RULES) -> Report:
    """Ask every rule."""
    found = [_located(rule, hit, question) for rule in rules.values() for hit in _ask(rule, question)]
    ignore = question.spec.lint.ignore
    kept = [advice for advice in found if advice.rule not in ignore]
    ignored = [advice for advice in found if advice.rule in ignore]
    kept += [_located(IDLE_IGNORE, hit, question) for hit in _idle(question, rules, {one.rule for one in ignored})]
    return Report(_in_order(kept), _in_order(ignored))


def _ask(rule: Rule, question: Question) -> Iterator[Hit]:
    return rule.check(question) if rule.check is not None else iter(())


def _located(rule: Rule, hit: Hit, question: Question) -> Advice:
    fault = question.document.fault(hit.path, hit.what, hit.edit)
    return Advice(rule.id, rule.name, rule.severity, replace(fault, hint=hit.edit))


def _in_order(advice: list[Advice]) -> tuple[Advice, ...]:
    return tuple(sorted(advice, key=lambda one: (one.fault.line == 0, one.fault.line, one.fault.column, one.rule)))


def _idle(question: Question, rules: Mapping[str, Rule], used: set[str]) -> Iterator[Hit]:
    """Entries of `lint: ignore` that answer nothing."""
    for rule in question.spec.lint.ignore:
        path = ("lint", "ignore", rule)
        if rule not in rules:
            hint = did_you_mean(rule, rules) or "`orch lint --rules` lists them"
            yield Hit(path, f"there is no rule {rule}", hint)
        elif rule not in used and not rules[rule].of_machine:
            yield Hit(path, f"{rule} ({rules[rule].name}) has nothing to say here", f"leave {rule} out")
