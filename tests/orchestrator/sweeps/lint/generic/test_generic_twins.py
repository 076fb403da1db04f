"""Each generic rule by a bad twin of a good file: a small edit raises exactly this rule, and the good file none."""

from dataclasses import replace

import pytest

from orchestrator.sweeps.lint.generic import RULES
from tests.support.twins import FACTS, rules

NO_CONFIRM = "confirm=null"
WIDE = "{type: float, low: 1e-5, high: 1e-2}"
TWINS = {
    "ORC101": (f"space.lr={WIDE}",),
    "ORC102": ("space.lr.low=9.9e-3",),
    "ORC103": ("space.kind={type: fixed, value: b}", 'space.layers={type: categorical, choices: [1, "1", 2]}'),
    "ORC104": ("space.temperature={type: float, low: 0.001, high: 100, log: true}",),
    "ORC105": ("space.share={type: categorical, choices: [0.5]}",),
    "ORC106": ("constraints=[\"kind != 'b' or share > 2\"]",),
    "ORC107": ("constraints=['lr < 0.1']",),
    "ORC108": ("constraints=['share < 0.02']",),
    "ORC111": ("budget.trials=7", "sampler={type: gp, startup_trials: 5}", NO_CONFIRM),
    "ORC112": ("space={kind: {type: categorical, choices: [a, b, c]}}", "budget.trials=9", NO_CONFIRM),
    "ORC113": (
        "space={kind: {type: categorical, choices: [a, b, c]}}",
        "sampler={type: grid}",
        "budget.trials=2",
        NO_CONFIRM,
    ),
    "ORC114": ("sampler.startup_trials=60",),
    "ORC115": ("sampler.startup_trials=5",),
    "ORC116": ("sampler={type: nsga2, population: 40}",),
    "ORC117": ("sampler={type: cmaes}",),
    "ORC118": (
        "points=[{lr: 1e-3, share: 0.5, kind: a}, {lr: 2e-3, share: 0.5, kind: a}]",
        "budget.trials=2",
        "sampler={type: random}",
        NO_CONFIRM,
    ),
    "ORC121": ("pruner.min_epochs=10",),
    "ORC122": ("pruner={type: median, min_epochs: 30}", "budget.epochs=null"),
    "ORC123": ("config.warmup_epochs=5",),
    "ORC124": ("stop.0.patience=30",),
    "ORC125": ("config.eval_every=5",),
    "ORC131": (
        "objective={metric: val/loss, direction: minimize}",
        "space.loss_weights.side={type: float, low: 0.2, high: 0.5}",
    ),
    "ORC132": (
        "objective={metric: val/contrastive_loss, direction: minimize}",
        "space.temperature={type: float, low: 0.05, high: 0.5}",
    ),
    "ORC133": ("objective={metric: val/mse, direction: minimize}",),
    "ORC134": ("objective.metric=train/macro_f1",),
    "ORC135": ("objective.direction=minimize",),
    "ORC136": ("objective.metric=val/chance_recall_at_1",),
    "ORC141": ("config.data.num_val=32", "stop.0.min_delta=0.1"),
    "ORC142": ("stop.0.min_delta=0.002",),
    "ORC143": ("space.data.seed={type: int, low: 0, high: 9}",),
    "ORC144": ("config={data: {num_val: 1000}}", "space.epochs={type: int, low: 20, high: 30}"),
    "ORC151": (),
    "ORC152": ("budget.wall_hours=0.02",),
    "ORC153": ("budget.epochs=100",),
    "ORC161": ("floors={val/macro_f1: 30}",),
    "ORC162": ("floors={val/eer: 0.1}",),
    "ORC163": ("confirm.max_trials=6",),
    "ORC164": ("confirm.seeds=12",),
    "ORC165": ("confirm=null",),
}
"""Rule to the edits of its twin."""
BESIDES = {
    # A loss beside a retrieval metric, whatever else is wrong with it.
    "ORC131": {"ORC133"},
    "ORC132": {"ORC133"},
}
"""What a twin cannot help to raise, too."""
MACHINES = {
    "ORC115": replace(FACTS, concurrency=32),
    "ORC151": replace(FACTS, free_bytes=2**25),
}


def test_every_rule_has_a_twin():
    assert [rule.id for rule in RULES] == list(TWINS)


def test_no_rule_objects_to_the_good_file():
    assert rules() == []


@pytest.mark.parametrize("rule", TWINS)
def test_a_twin_raises_exactly_its_rule(rule):
    assert rules(*TWINS[rule], facts=MACHINES.get(rule, FACTS)) == sorted({rule, *BESIDES.get(rule, ())})
