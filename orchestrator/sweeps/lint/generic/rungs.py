"""Rules about when pruners and stop rules may decide."""

from collections.abc import Iterator

from orchestrator.spec.model import (
    AshaPruner,
    BelowUntrainedRule,
    CollapseRule,
    HyperbandPruner,
    MaxEpochsRule,
    MedianPruner,
    PatientPruner,
    PercentilePruner,
    PlateauRule,
    TargetRule,
)
from orchestrator.sweeps.lint.generic.halving import halving_of, rung_epochs
from orchestrator.sweeps.lint.generic.metric_kinds import is_share
from orchestrator.sweeps.lint.grace import deciding, grace_of
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity

MIN_RUNGS = 2
EVALUATION_INTERVALS = ("eval_every", "evaluate_every", "evaluate_every_epochs", "eval_interval", "val_every")
"""Names of a Config field that says how many epochs lie between two measurements."""


def fewer_than_two_rungs(question: Question) -> Iterator[Hit]:
    """Successive halving that compares trials at most once before they end."""
    pruner, at = deciding(question.spec.pruner)
    halving = halving_of(pruner)
    if halving is None or question.epochs is None:
        return
    rungs = rung_epochs(halving, question.epochs)
    if len(rungs) < MIN_RUNGS:
        where = f"only at epoch {rungs[0]}" if rungs else "never"
        what = (
            f"{pruner.type} prunes {where} of {question.epochs}: "
            f"rungs are {halving.min_epochs} x {halving.reduction_factor}^k, and the last epoch is not pruned"
        )
        yield Hit((*at, "min_epochs"), what, _more_rungs(halving, question.epochs))


def _more_rungs(halving: AshaPruner | HyperbandPruner, epochs: int) -> str:
    """The largest change that is enough: a factor of 2 if that will do, else an earlier first rung."""
    if 2 * halving.min_epochs < epochs:
        return "reduction_factor: 2"
    first = max(1, (epochs - 1) // 4)
    return f"min_epochs: {first}, reduction_factor: 2" if 2 * first < epochs else "pruner: {type: none}"


def pruner_never_decides(question: Question) -> Iterator[Hit]:
    """A pruner that is set and cannot prune anything."""
    pruner, at = deciding(question.spec.pruner)
    trials, epochs = question.spec.budget.trials, question.epochs
    if isinstance(pruner, MedianPruner | PercentilePruner) and pruner.startup_trials >= trials:
        what = f"{pruner.startup_trials} startup trials of {trials}: no trial is ever pruned"
        yield Hit((*at, "startup_trials"), what, f"startup_trials: {max(1, trials // 4)}")
    grace = grace_of(question.spec.pruner)
    if grace is not None and epochs is not None and grace >= epochs and halving_of(pruner) is None:
        what = f"decides from epoch {grace} on, and trials end at {epochs}; the last epoch is not pruned"
        key = "patience" if isinstance(pruner, PatientPruner) else "min_epochs"
        yield Hit((*at, key), what, f"{key}: {max(1, epochs // 3)}")


def grace_before_warmup(question: Question) -> Iterator[Hit]:
    """Trials are judged while a schedule still warms up."""
    longest = _longest_warmup(question)
    if longest is None:
        return
    key, warmup = longest
    grace = grace_of(question.spec.pruner)
    if grace is not None and grace < warmup:
        path = (*deciding(question.spec.pruner)[1], "min_epochs")
        what = f"a trial can be pruned at epoch {grace}, and {key} lasts until epoch {warmup:g}"
        yield Hit(path, what, f"min_epochs: {int(-(-warmup // 1)) + 1}")
    for position, rule in enumerate(question.spec.stop):
        if isinstance(rule, BelowUntrainedRule) and rule.after_epochs <= warmup:
            what = f"a trial is stopped after epoch {rule.after_epochs}, and {key} lasts until epoch {warmup:g}"
            yield Hit(("stop", position, "after_epochs"), what, f"after_epochs: {int(-(-warmup // 1)) + 2}")


def _longest_warmup(question: Question) -> tuple[str, float] | None:
    keys = [key for key in {**question.fixed, **question.spec.space} if key.rpartition(".")[2] == "warmup_epochs"]
    found = [(high, key) for key in keys if (reach := question.reach(key)) and (high := reach.high)]
    return (max(found)[1], max(found)[0]) if found else None


def grace_before_evaluation(question: Question) -> Iterator[Hit]:
    """Trials are judged before their first measurement."""
    grace = grace_of(question.spec.pruner)
    if grace is None:
        return
    for key in {**question.fixed, **question.spec.space}:
        reach = question.reach(key) if key.rpartition(".")[2] in EVALUATION_INTERVALS else None
        if reach is not None and reach.high is not None and grace < reach.high:
            what = f"pruning begins at epoch {grace}, and {key} says that the first measurement is at {reach.high:g}"
            yield Hit((*deciding(question.spec.pruner)[1], "min_epochs"), what, f"min_epochs: {reach.high:g}")


def stop_rule_never_acts(question: Question) -> Iterator[Hit]:
    """Stop rules that wait until the trial is over, or for a value that cannot be."""
    epochs = question.epochs
    for position, rule in enumerate(question.spec.stop):
        at = ("stop", position)
        match rule:
            case TargetRule() if is_share(rule.metric or question.spec.objective.metric) and not 0 <= rule.value <= 1:
                yield Hit((*at, "value"), f"{rule.value:g} is never reached: the metric is a share from 0 to 1")
            case PlateauRule(patience=last) if epochs is not None and last >= epochs:
                yield Hit((*at, "patience"), _late("patience", last, epochs), f"patience: {max(1, epochs // 3)}")
            case CollapseRule(after_epochs=last) | BelowUntrainedRule(after_epochs=last) if epochs and last >= epochs:
                edit = f"after_epochs: {max(1, epochs // 3)}"
                yield Hit((*at, "after_epochs"), _late("after_epochs", last, epochs), edit)
            case MaxEpochsRule(epochs=last) if epochs is not None and last >= epochs:
                yield Hit((*at, "epochs"), _late("epochs", last, epochs), "leave the rule out")
            case _:
                pass


def _late(key: str, value: int, epochs: int) -> str:
    return f"{key}: {value}, and trials have {epochs} epochs, so the rule never ends one early"


RULES = (
    Rule(
        id="ORC121",
        name="fewer-than-two-rungs",
        severity=Severity.WARNING,
        title="asha or hyperband have fewer than two rungs before the last epoch.",
        why="Successive halving gains by thinning out again and again. With one rung everything hangs on one early "
        "epoch; with none, nothing is pruned.",
        fix="A smaller `reduction_factor`, an earlier `min_epochs`, or more epochs.",
        bad="config: {epochs: 40}\npruner: {type: asha, min_epochs: 16, reduction_factor: 3}",
        good="config: {epochs: 40}\npruner: {type: asha, min_epochs: 4, reduction_factor: 3}",
        source="Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning, arXiv:1810.05934, section 3.",
        check=fewer_than_two_rungs,
    ),
    Rule(
        id="ORC122",
        name="pruner-never-decides",
        severity=Severity.WARNING,
        title="A pruner that is set and cannot prune: too many startup trials, or a grace as long as the trials.",
        why="The sweep costs as much as without a pruner, and its report says that there was one.",
        fix="A grace of about a third of the epochs, and startup of about a quarter of the trials.",
        bad="config: {epochs: 10}\npruner: {type: median, min_epochs: 10}",
        good="config: {epochs: 10}\npruner: {type: median, min_epochs: 3}",
        source="How the pruners work: the last epoch is compared, and not pruned.",
        check=pruner_never_decides,
    ),
    Rule(
        id="ORC123",
        name="grace-before-warm-up",
        severity=Severity.WARNING,
        title="Trials can be pruned, or stopped as below untrained, while a schedule still warms up.",
        why="During warm-up a trial with a high final rate looks worse than one with a low rate. Pruning there selects "
        "for a quick start, not for a good end.",
        fix="`min_epochs` (and `after_epochs`) beyond the longest warm-up.",
        bad="config: {optimizer: {schedule: {kind: cosine, end: 0.0, warmup_epochs: 5}}}\n"
        "pruner: {type: asha, min_epochs: 2}",
        good="config: {optimizer: {schedule: {kind: cosine, end: 0.0, warmup_epochs: 1}}}\n"
        "pruner: {type: asha, min_epochs: 2}",
        source="By construction of the schedules: trainables/schedules.py.",
        check=grace_before_warmup,
    ),
    Rule(
        id="ORC124",
        name="stop-rule-never-acts",
        severity=Severity.WARNING,
        title="A stop rule waits at least as long as a trial lasts, or for a value that its metric cannot have.",
        why="It reads as protection, and does nothing.",
        fix="A shorter patience, or leave the rule out.",
        bad="config: {epochs: 10}\nstop: [{type: plateau, patience: 10}]",
        good="config: {epochs: 10}\nstop: [{type: plateau, patience: 4}]",
        source="Counted.",
        check=stop_rule_never_acts,
    ),
    Rule(
        id="ORC125",
        name="grace-before-evaluation",
        severity=Severity.WARNING,
        title="Pruning begins before the trainable measures for the first time.",
        why="The first rungs pass without a value; trials are compared at an epoch that the file does not name.",
        fix="`min_epochs` of at least the interval between two measurements.",
        bad="config: {eval_every: 5}\npruner: {type: asha, min_epochs: 1}",
        good="config: {eval_every: 5}\npruner: {type: asha, min_epochs: 5}",
        source="A field of the Config with one of these names: " + ", ".join(EVALUATION_INTERVALS) + ".",
        check=grace_before_evaluation,
    ),
)
