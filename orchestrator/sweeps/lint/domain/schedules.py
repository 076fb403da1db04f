"""Rules about time: what a trial would do after the pruner, a stop rule or the end of training has taken it."""

from collections.abc import Iterator

from orchestrator.spec.model import MaxEpochsRule, PatientPruner
from orchestrator.sweeps.lint.grace import deciding, grace_of
from orchestrator.sweeps.lint.meaning import place, uses
from orchestrator.sweeps.lint.question import Question
from orchestrator.sweeps.lint.rule import Hit, Rule, Severity
from trainables.roles import OneCycle, ScheduleEnd


def before_the_peak(question: Question) -> Iterator[Hit]:
    """Trials that are compared, or stopped, before their learning rate has peaked."""
    found = uses(question, OneCycle)
    if not found:
        return
    latest = max(found, key=lambda use: use.role.peak)
    peak, end = latest.role.peak, latest.role.end
    first = grace_of(question.spec.pruner)
    if first is not None and first < min(peak, end):
        pruner, at = deciding(question.spec.pruner)
        grace = "patience" if isinstance(pruner, PatientPruner) else "min_epochs"
        what = f"trials are compared at epoch {first}, but one cycle's rate rises until epoch {peak:g} of {end:g}"
        yield Hit((*at, grace), what, f"{grace}: {_up(peak)}, or peak_at: {first / end:.2g}")
    for position, rule in enumerate(question.spec.stop):
        if isinstance(rule, MaxEpochsRule) and rule.epochs < end:
            what = f"every trial stops after epoch {rule.epochs}: one cycle of {end:g} epochs never comes down"
            yield Hit(("stop", position, "epochs"), what, f"config: {{epochs: {rule.epochs}}} in the place of the rule")


def after_the_end(question: Question) -> Iterator[Hit]:
    """What is to happen when training is over."""
    late = [use for use in uses(question, ScheduleEnd) if use.role.at > use.role.within]
    for key in dict.fromkeys(use.key for use in late):
        worst = max((use for use in late if use.key == key), key=lambda use: use.role.at)
        role = worst.role
        what = f"{role.what} at {role.at:g} {role.unit}: training has {role.within:g}"
        yield Hit(place(question, key, worst.value), what, f"at most {role.within:g}, or longer training")


def _up(epoch: float) -> int:
    return int(-(-epoch // 1))


RULES = (
    Rule(
        id="ORC241",
        name="pruned-before-the-peak",
        severity=Severity.WARNING,
        title="One cycle of the learning rate peaks after the first comparison, or is cut before it comes down.",
        why=(
            "One cycle is as long as the trial: the rate rises to its peak at `peak_at` of the epochs, and most of the "
            "gain comes while it falls. A comparison before the peak ranks trials by how they warm up, and lets a high "
            "rate, which is the point of one cycle, look bad. A `max_epochs` rule cuts the fall off."
        ),
        fix="Compare from the peak on (min_epochs), let it peak earlier (peak_at), or use a constant rate.",
        bad="pruner: {type: asha, min_epochs: 2}   # 8 epochs, optimizer.schedule: {kind: one_cycle, peak_at: 0.5}",
        good="config: {optimizer: {schedule: {kind: one_cycle, peak_at: 0.25}}}",
        source="Smith and Topin 2018, arXiv:1708.07120; trainables/schedules.py.",
        check=before_the_peak,
    ),
    Rule(
        id="ORC242",
        name="after-the-end",
        severity=Severity.WARNING,
        title="A schedule, a stage or a memory that is not there before training ends.",
        why=(
            "A ramp over 120 epochs that gets 8 reaches a fifteenth of its way; the last stage of a curriculum, or a "
            "memory that is still warming up, never comes. The config says one thing and the trial does another."
        ),
        fix="Shorten it to the epochs (or steps) that a trial has, or train longer.",
        bad="margin.ramp_epochs: {type: float, low: 20, high: 120}   # epochs_per_step: 8",
        good="margin.ramp_epochs: {type: float, low: 2, high: 8}",
        source="Source note 003's last phase (170+) in steps of 170 epochs: it was never reached.",
        check=after_the_end,
    ),
)
