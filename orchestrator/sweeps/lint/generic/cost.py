"""Rules about what a sweep costs against what there is: disk, hours, epochs."""

from collections.abc import Iterator

from orchestrator.spec.nodes import Path
from orchestrator.sweeps.lint.generic.halving import least_epochs
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity

CHECKPOINTS_KEPT = 3
"""Of a trial: the best and the two newest."""
MAX_DISK_SHARE = 0.9
SURE = 1.25
"""The epochs that are needed at least must exceed the budget by this factor before we speak."""


def disk(question: Question) -> Iterator[Hit]:
    """Checkpoints that do not fit on the disk."""
    facts = question.facts
    if facts.free_bytes is None or facts.checkpoint_bytes is None:
        return
    trials = question.spec.budget.trials * question.spec.repeats
    needed = trials * CHECKPOINTS_KEPT * facts.checkpoint_bytes
    if needed > MAX_DISK_SHARE * facts.free_bytes:
        what = (
            f"{trials} trainings x {CHECKPOINTS_KEPT} checkpoints of {_size(facts.checkpoint_bytes)} need "
            f"{_size(needed)}; {_size(facts.free_bytes)} are free"
        )
        yield Hit(("budget", "trials"), what, "--storage FOLDER on a larger disk, or fewer trials")


def _size(num_bytes: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if num_bytes < 1024:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1024
    return f"{num_bytes:.3g} TiB"


def _needed_epochs(question: Question) -> float | None:
    """Epochs of all trials together, after what the pruner is expected to cut."""
    spec = question.spec
    if question.epochs is None:
        return None
    return spec.budget.trials * spec.repeats * least_epochs(spec.pruner, question.epochs)


def epochs_budget(question: Question) -> Iterator[Hit]:
    """A budget of epochs that the trials exceed by far."""
    budget, needed = question.spec.budget, _needed_epochs(question)
    if budget.epochs is not None and needed is not None and needed > SURE * budget.epochs:
        what = (
            f"{budget.trials} trials need about {needed:.0f} epochs after pruning: "
            f"{budget.epochs} end the sweep after about {budget.trials * budget.epochs / needed:.0f}"
        )
        yield Hit(("budget", "epochs"), what, f"epochs: {needed:.0f}, or fewer trials")


def hours_budget(question: Question) -> Iterator[Hit]:
    """Hours that are too short for the trials, at the speed of an earlier sweep."""
    facts, budget, needed = question.facts, question.spec.budget, _needed_epochs(question)
    if needed is None or facts.epoch_s is None:
        return
    hours = (budget.trials * question.spec.repeats * (facts.start_s or 0.0) + needed * facts.epoch_s) / 3600
    if budget.wall_hours is not None and facts.concurrency:
        wall = hours / max(1, min(facts.concurrency, budget.trials))
        yield from _short(("budget", "wall_hours"), budget.wall_hours, wall, question)
    if budget.gpu_hours is not None and facts.devices is not None:
        yield from _short(("budget", "gpu_hours"), budget.gpu_hours, hours * facts.devices, question)


def _short(path: Path, given: float, needed: float, question: Question) -> Iterator[Hit]:
    if needed > SURE * given:
        trials = question.spec.budget.trials
        what = (
            f"{trials} trials take about {needed:.2g} h after pruning, at the speed of {question.facts.pace_source}: "
            f"{given:g} h are enough for about {trials * given / needed:.0f}"
        )
        yield Hit(path, what, f"{path[-1]}: {1.2 * needed:.2g}, or fewer trials")


RULES = (
    Rule(
        id="ORC151",
        name="disk-too-small",
        severity=Severity.WARNING,
        title="The checkpoints of all trials need more than 90 % of the free disk.",
        why="A sweep that fills the disk fails in the middle, and takes the ledger's neighbours with it. Each trial "
        "keeps "
        "its best checkpoint and the two newest. The size is that of an earlier sweep of the same trainable.",
        fix="`--storage` on a larger disk, or fewer trials.",
        bad="budget: {trials: 500}  # 3 x 500 x 2 GiB on a disk with 1 TiB",
        good="budget: {trials: 100}",
        source="Measured: free space, and the largest checkpoint of the newest sweep of this trainable.",
        check=disk,
        of_machine=True,
    ),
    Rule(
        id="ORC152",
        name="hours-too-short",
        severity=Severity.WARNING,
        title="`wall_hours` or `gpu_hours` end the sweep long before its trials are done.",
        why="A sampler plans for the trials that it is told. A sweep that ends after a third of them has spent most "
        "of its "
        "budget on its startup. We speak when a quarter more is needed than given.",
        fix="More hours, fewer trials, or an earlier first rung. `orch plan` prints what a budget buys.",
        bad="budget: {trials: 200, wall_hours: 1}  # 40 s an epoch",
        good="budget: {trials: 40, wall_hours: 1}",
        source="Measured: seconds an epoch of an earlier sweep or of the plan's probe, and the pruner's survival.",
        check=hours_budget,
        of_machine=True,
    ),
    Rule(
        id="ORC153",
        name="epochs-too-few",
        severity=Severity.WARNING,
        title="`budget.epochs` ends the sweep long before its trials are done.",
        why="As with hours: the last trials, which know most, are never asked for.",
        fix="More epochs, or fewer trials.",
        bad="config: {epochs: 10}\nbudget: {trials: 100, epochs: 50}",
        good="config: {epochs: 10}\nbudget: {trials: 20, epochs: 100}",
        source="Counted: trials times epochs, or after pruning when each rung lets the best 1/reduction_factor go on.",
        check=epochs_budget,
    ),
)
