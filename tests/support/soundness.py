"""What must hold of a sweep that has ended, whatever struck it: ledger and MLflow agree, nothing is twice or open."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mlflow.tracking import MlflowClient

from orchestrator.trial import ENDINGS, TrialRecord
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
    """All trials ended, once, with every step; one MLflow run each, in the same state and with the same values."""
    records = orch.records(sweep)
    assert [r.number for r in records] == list(range(trials))
    assert all(r.state.is_terminal and r.ending is not None for r in records)
    for record in records:
        assert [m.step for m in record.measurements] == list(range(record.epochs + 1)), record
    wanted = {r.number: ENDINGS[r.ending.cause].run_status.value for r in records if r.ending}
    runs = [(number, status) for name, number, status in orch.runs() if name == sweep]
    assert Counter(number for number, _ in runs) == Counter([None, *range(trials)])
    assert {number: status for number, status in runs if number is not None} == wanted
    _assert_same_values(orch, sweep, records)


def _assert_same_values(orch: Orch, sweep: str, records: Sequence[TrialRecord]) -> None:
    client = MlflowClient(tracking_uri=f"sqlite:///{orch.home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("orch")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], f"tags.`orch.sweep` = '{sweep}'", max_results=1000)
    runs = {int(run.data.tags["orch.trial"]): run.info.run_id for run in found if "orch.trial" in run.data.tags}
    for record in records:
        # MLflow sorts by time, and clocks step.
        history = sorted((m.step, m.value) for m in client.get_metric_history(runs[record.number], "val/score"))
        assert history == [(m.step, m.metrics["val/score"]) for m in record.measurements]
