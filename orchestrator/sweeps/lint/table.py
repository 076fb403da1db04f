"""The visible table of lint rules."""

from collections.abc import Mapping

from orchestrator.errors import UsageError
from orchestrator.spec.wording import did_you_mean
from orchestrator.sweeps.lint import domain, generic
from orchestrator.sweeps.lint.ignores import IDLE_IGNORE
from orchestrator.sweeps.lint.rule import Rule

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (IDLE_IGNORE, *generic.RULES, *domain.RULES)}
"""Id to rule, in the order of the ids."""


def find_rule(wanted: str) -> Rule:
    """The rule of this id or name, in any case.

    Raises:
        UsageError: there is none.
    """
    by_name = {name.lower(): rule for rule in RULES.values() for name in (rule.id, rule.name)}
    if wanted.lower() in by_name:
        return by_name[wanted.lower()]
    known = [*RULES, *(rule.name for rule in RULES.values())]
    hint = (
        did_you_mean(wanted.upper(), RULES) or did_you_mean(wanted.lower(), known) or "`orch lint --rules` lists them"
    )
    raise UsageError(f"there is no rule {wanted!r} ({hint})")
