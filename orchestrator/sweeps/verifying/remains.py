"""Checks of what a sweep leaves behind: workers, files, what MLflow has not got, and secrets. Pure."""

from orchestrator.sweeps.verifying.evidence import Evidence, Standing
from orchestrator.sweeps.verifying.report import Outcome, Violation, not_applicable


def check_leftovers(evidence: Evidence) -> Outcome:
    """After the end nothing half-written lies about."""
    if not evidence.has_ended:
        return not_applicable(evidence.standing.value)
    return Outcome([Violation("left over", seen=str(path), repairable=True) for path in evidence.disk.leftovers])


def check_claim(evidence: Evidence) -> Outcome:
    """After the end nobody has a claim on the sweep, dead or alive."""
    if not evidence.has_ended:
        return not_applicable(evidence.standing.value)
    if evidence.lease is None:
        return Outcome()
    return Outcome([Violation("a dead process has a claim on it", seen=evidence.lease.words, repairable=True)])


def check_processes(evidence: Evidence) -> Outcome:
    """No worker outlives its driver."""
    if evidence.standing is Standing.RUNNING:
        return not_applicable(evidence.standing.value)
    violations = [
        Violation("a worker runs without a driver", seen=f"{worker.pid} {worker.title}", advice=f"kill {worker.pid}")
        for worker in evidence.workers
    ]
    return Outcome(violations, note="on this machine")


def check_outbox(evidence: Evidence) -> Outcome:
    """MLflow has refused nothing; what waits for it is said."""
    backlog, name = evidence.backlog, evidence.record.name
    if backlog.num_rejected:
        what, advice = "operations that MLflow has refused for good", f"orch sync {name} says which"
        return Outcome([Violation(what, seen=backlog.num_rejected, advice=advice)])
    waiting = backlog.num_pending and evidence.has_ended
    return Outcome(note=f"{backlog.num_pending} operations wait for MLflow: orch sync {name}" if waiting else "")


def check_secrets(evidence: Evidence) -> Outcome:
    """Nothing that a sweep wrote holds a password."""
    advice = "change that secret, then remove what holds it"
    violations = [Violation(f"{leak.what} was written", seen=leak.place, advice=advice) for leak in evidence.leaks]
    return Outcome(violations)
