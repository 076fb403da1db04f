"""Rules about what makes a trial count and a winner real: floors and the confirmation."""

from collections.abc import Iterator

from orchestrator.spec.model import PbtSampler
from orchestrator.sweeps.lint.generic.halving import least_epochs
from orchestrator.sweeps.lint.generic.metric_kinds import direction, is_share
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity

MIN_SEEDS = 3
"""Fewer trainings of a configuration have no spread to speak of."""
WORTH_CONFIRMING = 10


def floor_out_of_reach(question: Question) -> Iterator[Hit]:
    """Floors that no trial can reach, or that no trial can miss."""
    for metric, floor in question.spec.floors.items():
        if is_share(metric) and floor > 1:
            yield Hit(("floors", metric), f"{metric} is a share and never above 1; every trial misses {floor:g}")


def floor_of_a_cost(question: Question) -> Iterator[Hit]:
    """A least value for a metric that is better when lower."""
    for metric, floor in question.spec.floors.items():
        if direction(metric) == "lower":
            what = f"{metric} is better when lower; a floor of {floor:g} keeps the worst trials"
            yield Hit(("floors", metric), what, "a floor on a metric that is better when higher")


def confirm_too_small(question: Question) -> Iterator[Hit]:
    """A confirmation that cannot give every candidate the seeds that a verdict needs."""
    confirm, trials = question.spec.confirm, question.spec.budget.trials
    if confirm is None:
        return
    least = (confirm.top + 1) * MIN_SEEDS
    if confirm.max_trials is not None and confirm.max_trials < least:
        what = (
            f"{confirm.max_trials} trainings for {confirm.top} configurations and the default: "
            f"fewer than {MIN_SEEDS} seeds each"
        )
        yield Hit(
            ("confirm", "max_trials"), what, f"max_trials: {least}, or top: {max(1, confirm.max_trials // 3 - 1)}"
        )
    if confirm.top >= trials:
        what = f"top: {confirm.top} of {trials} trials confirms all of them, and chooses nothing"
        yield Hit(("confirm", "top"), what, f"top: {max(1, trials // 4)}")


def confirm_costs_more(question: Question) -> Iterator[Hit]:
    """A confirmation that trains more than the search."""
    spec, confirm, epochs = question.spec, question.spec.confirm, question.epochs
    if confirm is None or epochs is None:
        return
    runs = min((confirm.top + 1) * confirm.seeds, confirm.max_trials or 10**9)
    search = spec.budget.trials * spec.repeats * least_epochs(spec.pruner, epochs)
    if runs * epochs > search:
        what = f"up to {runs} full trainings of {epochs} epochs, and the search needs about {search:.0f} epochs in all"
        yield Hit(("confirm",), what, "fewer candidates (top), or max_trials")


def nothing_is_confirmed(question: Question) -> Iterator[Hit]:
    """A search without a confirmation; a population finds a schedule, which cannot be confirmed."""
    spec, trials = question.spec, question.spec.budget.trials
    if spec.confirm is None and trials >= WORTH_CONFIRMING and not isinstance(spec.sampler, PbtSampler):
        what = f"the best of {trials} trials is partly the luckiest; its value is too good"
        yield Hit(("name",), what, "confirm: {top: 3, seeds: 10}, or `orch confirm SWEEP` afterwards")


RULES = (
    Rule(
        id="ORC161",
        name="floor-out-of-reach",
        severity=Severity.ERROR,
        title="A floor lies above what its metric can be.",
        why="Every trial misses it, so that none is of use. This is certain, and the sweep does not start.",
        fix="Shares go from 0 to 1: write 0.3 for 30 %.",
        bad="floors: {val/macro_f1: 30}",
        good="floors: {val/macro_f1: 0.3}",
        source="The definition of the metric.",
        check=floor_out_of_reach,
    ),
    Rule(
        id="ORC162",
        name="floor-of-a-cost",
        severity=Severity.WARNING,
        title="A floor is set on a metric that is better when lower.",
        why="A floor is the least value that a trial must reach. On a loss or an error rate it keeps the worst trials "
        "and "
        "cuts the best.",
        fix="Set it on a metric that is better when higher.",
        bad="floors: {val/eer: 0.1}",
        good="floors: {val/rank_at_1: 0.5}",
        source="The vocabulary of metrics: trainables/health/vocabulary.py.",
        check=floor_of_a_cost,
    ),
    Rule(
        id="ORC163",
        name="confirm-too-small",
        severity=Severity.WARNING,
        title="The confirmation has fewer than three trainings for each candidate, or confirms every trial.",
        why="The verdict compares means of seeds. Two trainings have no spread to speak of, and the default "
        "configuration "
        "gets as many as each candidate.",
        fix="`max_trials` of at least 3 x (top + 1), or fewer candidates.",
        bad="confirm: {top: 5, max_trials: 12}",
        good="confirm: {top: 3, max_trials: 24}",
        source="Bouthillier et al. 2021, Accounting for Variance in Machine Learning Benchmarks, arXiv:2103.03098.",
        check=confirm_too_small,
    ),
    Rule(
        id="ORC164",
        name="confirm-costs-more",
        severity=Severity.NOTE,
        title="The confirmation may train more epochs than the search.",
        why="It runs at full length, without the pruner. Candidates that are ruled out early cost less than this "
        "bound.",
        fix="Fewer candidates or a `max_trials`, if the search should have the larger share.",
        bad="budget: {trials: 20}\npruner: {type: asha}\nconfirm: {top: 5, seeds: 16}",
        good="budget: {trials: 20}\npruner: {type: asha}\nconfirm: {top: 2, seeds: 5}",
        source="Counted: (top + 1) x seeds x epochs, against trials x epochs after pruning.",
        check=confirm_costs_more,
    ),
    Rule(
        id="ORC165",
        name="nothing-is-confirmed",
        severity=Severity.NOTE,
        title="A search of ten trials or more without `confirm:`.",
        why="The best of many noisy values is too good by its luck: the winner's curse. Only fresh seeds tell how "
        "much.",
        fix="`confirm: {top: 3, seeds: 10}`, or `orch confirm SWEEP` once it is worth it.",
        bad="budget: {trials: 50}",
        good="budget: {trials: 50}\nconfirm: {top: 3, seeds: 10}",
        source="Cawley and Talbot 2010, On Over-fitting in Model Selection, JMLR 11.",
        check=nothing_is_confirmed,
    ),
)
