"""Rules about what trials are measured with: the size of val, and whether it is the same for all of them."""

import re
from collections.abc import Iterator
from math import sqrt

from orchestrator.spec.model import PatientPruner, PlateauRule
from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.generic.metric_kinds import is_share
from orchestrator.sweeps.lint.meaning import uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.roles import EvaluatedItems

MAX_HALF_WIDTH = 0.1
"""Where the file names no difference that it wants to see, this one."""
Z_95 = 1.96
_SEED = re.compile(r"(.*[._])?seed")
_YARDSTICK = re.compile(r"(evaluation|eval|data)\..+|(.*\.)?num_val")
_NUM_VAL = "num_val"


def _standard_error(n: float) -> float:
    """Of a share of n at one half, where it is largest: sqrt(p (1 - p) / n)."""
    return sqrt(0.25 / n)


def _num_val(question: Question) -> tuple[str, float] | None:
    """The key that sizes val, and the least number of items that the objective is a share of.

    The Config says it by a role, and else a field named `num_val`; None where only the files know.
    """
    found = [(use.key, float(use.role.num)) for use in uses(question, EvaluatedItems)]
    if not found:
        keys = [key for key in {**question.fixed, **question.spec.space} if key.rpartition(".")[2] == _NUM_VAL]
        found = [(key, low) for key in keys if (reach := question.reach(key)) and (low := reach.low)]
    found = [one for one in found if one[1] > 0]
    return min(found, key=lambda one: one[1], default=None)


def _differences(question: Question) -> Iterator[tuple[Path, float]]:
    """What the file calls progress: every `min_delta` about the objective, and its place."""
    pruner, metric = question.spec.pruner, question.spec.objective.metric
    if isinstance(pruner, PatientPruner) and pruner.min_delta > 0:
        yield ("pruner", "min_delta"), pruner.min_delta
    for position, rule in enumerate(question.spec.stop):
        if isinstance(rule, PlateauRule) and rule.metric in (None, metric) and rule.min_delta > 0:
            yield ("stop", position, "min_delta"), rule.min_delta


def val_too_small(question: Question) -> Iterator[Hit]:
    """A val split in which chance alone moves the objective by more than the sweep wants to see."""
    found = _num_val(question)
    metric = question.spec.objective.metric
    if found is None or not is_share(metric):
        return
    key, n = found
    wanted = max([MAX_HALF_WIDTH, *(delta for _, delta in _differences(question))])
    half_width = Z_95 * _standard_error(n)
    if half_width > wanted:
        needed = round((Z_95 / wanted) ** 2 / 4)
        what = (
            f"{metric} over {n:g} items is known to +- {half_width:.2g} (95 %): "
            f"trials that differ by {wanted:.2g} cannot be told apart"
        )
        reach = question.reach(key)
        edit = f"{needed} items or more"
        yield Hit(reach.path("low") if reach else ("config",), what, f"{key} for {edit}" if reach else edit)


def min_delta_below_noise(question: Question) -> Iterator[Hit]:
    """A min_delta that is smaller than the standard error of the metric."""
    found = _num_val(question)
    if found is None or not is_share(question.spec.objective.metric):
        return
    error = _standard_error(found[1])
    for path, delta in _differences(question):
        if delta < error:
            what = f"{delta:g} is below the metric's standard error, up to {error:.2g} with {found[1]:g} items"
            yield Hit(path, f"{what}: noise counts as progress, so that trials end late rather than early")


def searched_yardstick(question: Question) -> Iterator[Hit]:
    """Searched keys that change what trials are measured with, or their luck."""
    for name in question.spec.space:
        if not question.is_searched(name):
            continue
        if _SEED.fullmatch(name):
            yield Hit(("space", name), "a seed is searched: the best trial is the luckiest", f"config: {{{name}: 0}}")
        elif _YARDSTICK.fullmatch(name):
            what = f"{name} changes the data or the measuring: trials are not compared on the same val"
            yield Hit(("space", name), what, f"fix {name} under config:, or run a sweep for each value")


def searched_epochs(question: Question) -> Iterator[Hit]:
    """Trials of different length, ranked by one number."""
    if question.is_searched("epochs"):
        reach = question.reach("epochs")
        assert reach is not None
        what = f"trials have {reach.low:g} to {reach.high:g} epochs: longer ones win, and rungs mean different things"
        yield Hit(("space", "epochs"), what, f"config: {{epochs: {reach.high:g}}}, and let the pruner cut")


RULES = (
    Rule(
        id="ORC141",
        name="val-too-small",
        severity=Severity.WARNING,
        title="Val has too few items for the difference that the sweep wants to see.",
        why="A share of n items has a standard error of sqrt(p (1 - p) / n), at most 0.5 / sqrt(n). Where its 95 % "
        "interval is wider than the difference, the order of the trials is mostly luck, and so is the winner. The "
        "difference is the largest `min_delta` about the objective, and 0.1 where that is smaller or not given.",
        fix="A larger val split: 96 items know a share to 0.1, 384 to 0.05, 9604 to 0.01. Else confirm with seeds.",
        bad="objective: {metric: val/recall_at_1, direction: maximize}\nconfig: {data: {source: angiogram, num_val: "
        "32}}",
        good="objective: {metric: val/recall_at_1, direction: maximize}\n"
        "config: {data: {source: angiogram, num_val: 256}}",
        source="The binomial distribution, at p = 1/2. Queries that share items depend on each other and know less.",
        check=val_too_small,
    ),
    Rule(
        id="ORC142",
        name="min-delta-below-noise",
        severity=Severity.NOTE,
        title="A `min_delta` is smaller than the standard error of its metric.",
        why="A lucky epoch counts as progress, so that patience begins anew. This only makes trials longer.",
        fix="A min_delta of about one standard error, if trials should end earlier.",
        bad="stop: [{type: plateau, patience: 4, min_delta: 0.002}]  # of 128 items",
        good="stop: [{type: plateau, patience: 4, min_delta: 0.04}]",
        source="The binomial distribution, at p = 1/2. Two epochs are measured on the same items, so that their "
        "difference is known a little better than that.",
        check=min_delta_below_noise,
    ),
    Rule(
        id="ORC143",
        name="searched-yardstick",
        severity=Severity.WARNING,
        title="A seed, the data or the evaluation is searched.",
        why="Trials are ranked by one metric. When each is measured in another way, the easiest measurement wins; when "
        "the seed is searched, the luckiest.",
        fix="Fix it under `config:`. Luck is what `repeats:` and `confirm:` are for.",
        bad="space:\n  data.seed: {type: int, low: 0, high: 9}",
        good="config: {data: {seed: 0}}\nrepeats: 3",
        source="All trials of a sweep train with the sweep's seed for the same reason.",
        check=searched_yardstick,
    ),
    Rule(
        id="ORC144",
        name="searched-epochs",
        severity=Severity.WARNING,
        title="The number of epochs is searched.",
        why="The objective is a trial's best epoch, so that more epochs never lose. Schedules that end with the epochs "
        "make trials differ at equal epochs, which is where a pruner compares them.",
        fix="The largest number under `config:`, and a pruner or a plateau rule to end trials.",
        bad="space:\n  epochs: {type: int, low: 5, high: 30}",
        good="config: {epochs: 30}\npruner: {type: asha, min_epochs: 3}",
        source="The definition of the objective's value in ARCHITECTURE.md.",
        check=searched_epochs,
    ),
)
