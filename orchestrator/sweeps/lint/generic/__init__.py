"""Rules for any sweep, whatever it trains. `RULES` has them all, in the order of their ids."""

from orchestrator.sweeps.lint.generic import branches, cost, ending, objective, ranges, rungs, trials, yardstick
from orchestrator.sweeps.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    *ranges.RULES,
    *branches.RULES,
    *trials.RULES,
    *rungs.RULES,
    *objective.RULES,
    *yardstick.RULES,
    *cost.RULES,
    *ending.RULES,
)
