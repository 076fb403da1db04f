"""Checks of the checkpoints: the best checkpoint is there, and every one is whole. Pure."""

from orchestrator import analysis
from orchestrator.sweeps.verifying.evidence import Evidence, Standing
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable


def check_best_checkpoint(evidence: Evidence) -> Outcome:
    """The best trial has the checkpoint of its best step."""
    if not evidence.has_ended:
        return not_applicable(evidence.standing.value)
    if not any(evidence.disk.steps.values()):
        return not_applicable("there are no checkpoints: the trainable offers no state, or they were removed")
    best = analysis.best(evidence.trials, evidence.record.spec.objective)
    if best is None or not best.best_step:
        return not_applicable("no trial has a best step")
    if evidence.disk.is_sound(best.number, best.best_step):
        return Outcome(note=f"trial {best.number} step {best.best_step}")
    seen = list(evidence.disk.steps.get(best.number, ()))
    what, advice = "the best trial has no sound checkpoint of its best step", "orch retrain trains it again"
    return Outcome([Violation(what, best.number, seen, best.best_step, advice=advice)])


def check_checkpoints(evidence: Evidence) -> Outcome:
    """Every checkpoint that is kept can be read: its hashes are those of its manifest."""
    if evidence.standing is Standing.RUNNING:
        return not_applicable(evidence.standing.value)
    count = sum(map(len, evidence.disk.steps.values()))
    if not count:
        return not_applicable("there are no checkpoints")
    violations = [
        Violation(f"its checkpoint of step {damage.step} is damaged", damage.trial, damage.reason, repairable=True)
        for damage in evidence.disk.damaged
    ]
    return Outcome(violations, note=f"{count} checkpoints")
