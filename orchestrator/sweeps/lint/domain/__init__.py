"""Rules about embedding models: losses, temperatures, margins, weights, batches. `RULES` has them all."""

from orchestrator.sweeps.lint.domain import declared, margins, mining, priors, schedules, temperature, weights
from orchestrator.sweeps.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    *declared.RULES,
    *temperature.RULES,
    *margins.RULES,
    *weights.RULES,
    *mining.RULES,
    *schedules.RULES,
    *priors.RULES,
)
