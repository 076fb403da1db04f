"""A sweep file that no rule objects to, its bad twins, and what lint says of them."""

from orchestrator.spec import parse
from orchestrator.sweeps.checks import check
from orchestrator.sweeps.lint.judge import Report, lint
from orchestrator.sweeps.lint.question import Facts, Question
from tests.support.questions import ROOT

GOOD = """\
name: twins
trainable: tests.support.linted:train
objective: {metric: val/recall_at_1, direction: maximize}
space:
  lr:    {type: float, low: 1e-4, high: 1e-2, log: true}
  share: {type: float, low: 0.0, high: 1.0}
  kind:  {type: categorical, choices: [a, b]}
  layers: {type: int, low: 1, high: 4, when: {kind: b}}
config: {epochs: 30}
sampler: {type: tpe, startup_trials: 8}
pruner:  {type: asha, min_epochs: 3, reduction_factor: 3}
stop:
  - {type: plateau, patience: 5, min_delta: 0.02}
budget:  {trials: 60, epochs: 1000, wall_hours: 2, gpu_hours: 2}
confirm: {top: 2, seeds: 3}
"""
FACTS = Facts(
    concurrency=4,
    free_bytes=2**40,
    checkpoint_bytes=2**20,
    start_s=1.0,
    epoch_s=1.0,
    devices=1.0,
    pace_source="sweep earlier",
)


def twin(*overrides: str, text: str = GOOD, facts: Facts = FACTS) -> Question:
    """The question of the good file with each override as after `--set`."""
    return Question.of(check(parse(text, file="twins.yaml", overrides=overrides), directory=ROOT), facts=facts)


def report(*overrides: str, text: str = GOOD, facts: Facts = FACTS) -> Report:
    """What lint says of a twin."""
    return lint(twin(*overrides, text=text, facts=facts))


def rules(*overrides: str, text: str = GOOD, facts: Facts = FACTS) -> list[str]:
    """The rules that say something of a twin, notes too, each once."""
    return sorted({advice.rule for advice in report(*overrides, text=text, facts=facts).advice})
