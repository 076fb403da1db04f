"""Rules about embedding models: losses, temperatures, margins, weights, batches. `RULES` has them all."""

from orchestrator.sweeps.lint.rule import Rule

RULES: tuple[Rule, ...] = ()
