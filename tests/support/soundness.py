"""What must hold of a sweep that has ended, whatever struck it: ledger and MLflow agree, nothing is twice or open."""

from collections.abc import Mapping, Sequence

from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.verifying.verify import verify
from orchestrator.trial import TrialRecord
from tests.support.commands import Orch

Acknowledged = Mapping[tuple[int, int], Mapping[str, float]]
"""Trial and step to the metrics that the ledger had."""


def acknowledged(orch: Orch, sweep: str = "toy-1") -> Acknowledged:
    """The measurements that the ledger has now."""
    return {(r.number, m.step): dict(m.metrics) for r in orch.records(sweep) for m in r.measurements}


def learnt(records: Sequence[TrialRecord]) -> list[object]:
    """What must not depend on being killed."""
    return [
        (
            r.number,
            r.state,
            r.params,
            r.ending and r.ending.reason,
            r.decisions,
            [(m.step, m.metrics["val/score"], m.metrics["noise"]) for m in r.measurements],
        )
        for r in records
    ]


def assert_sound(orch: Orch, sweep: str = "toy-1", *, trials: int) -> None:
    """All trials ended, once, with every step, and `orch verify` finds nothing."""
    records = orch.records(sweep)
    assert [r.number for r in records] == list(range(trials))
    assert all(r.state.is_terminal and r.ending is not None for r in records)
    for record in records:
        assert [m.step for m in record.measurements] == list(range(record.epochs + 1)), record
    verification = verify(Home(orch.home), sweep)
    assert verification.is_sound, verification.to_json()
