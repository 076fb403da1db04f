"""The visible table of lint rules."""

from collections.abc import Mapping

from orchestrator.sweeps.lint import domain, generic
from orchestrator.sweeps.lint.ignores import IDLE_IGNORE
from orchestrator.sweeps.lint.rule import Rule

RULES: Mapping[str, Rule] = {rule.id: rule for rule in (IDLE_IGNORE, *generic.RULES, *domain.RULES)}
"""Id to rule, in the order of the ids."""
