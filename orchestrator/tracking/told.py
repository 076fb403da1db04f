"""The facts that an outbox keeps of what was told, as short texts: what of a trial's record MLflow has to be told.

`Tracker` notes them with what it says; who holds a ledger compares. Pure functions.
"""

from orchestrator.trial import TrialRecord, TrialState

SWEEP_STARTED = "sweep started"


def step_told(number: int, step: int) -> str:
    """A measurement."""
    return f"{number} step {step}"


def attempt_told(number: int, attempt: int) -> str:
    """A trial was handed out."""
    return f"{number} attempt {attempt}"


def end_told(record: TrialRecord) -> str:
    """A trial ended, or was paused in this attempt."""
    return f"{record.number} attempt {record.attempt} {record.state.value}"


def sweep_end_told(at_ms: int) -> str:
    """The sweep ended, or was interrupted, then."""
    return f"sweep ended {at_ms}"


def facts_of(record: TrialRecord) -> frozenset[str]:
    """All that has to be told of a trial."""
    facts = {step_told(record.number, measurement.step) for measurement in record.measurements}
    facts.add(attempt_told(record.number, record.attempt))
    if record.state.is_terminal or record.state is TrialState.PAUSED:
        facts.add(end_told(record))
    return frozenset(facts)
