"""What MLflow is told of a sweep from outside its trials: its start, its end with the report, and all of it again.

`drive` calls it while a sweep runs, `orch sync` and `orch repair` afterwards; all of them hold the sweep's lock.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.execution.clock import Clock
from orchestrator.execution.retelling import retell_trials
from orchestrator.spec import dump
from orchestrator.study import SweepRecord, SweepState
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.tracking import SWEEP_STARTED, Identity, Shipper, Tracker, sweep_end_told
from orchestrator.trial import RunStatus

EXPERIMENT = "orch"
PATIENCE_S = 1.0
"""How long the end of a sweep waits for an MLflow that does not answer."""

_RUN_STATUS = {
    SweepState.COMPLETE: RunStatus.FINISHED,
    SweepState.FAILED: RunStatus.FAILED,
    SweepState.BUDGET_ENDED: RunStatus.KILLED,
    SweepState.PAUSED: RunStatus.KILLED,
}


def open_tracker(record: SweepRecord, home: Home, *, clock: Clock, shipper: Shipper | None = None) -> Tracker:
    """Whoever holds a sweep's lock may tell MLflow of it; a confirmation's run belongs under its search's.

    A `shipper` that got ready for the sweep's store meanwhile is closed with the tracker.
    """
    identity = Identity(
        sweep=record.name,
        sweep_id=record.id,
        experiment=EXPERIMENT,
        artifacts=home.artifacts,
        parent_sweep_id=None if record.confirming is None else record.confirming.sweep_id,
    )
    shipper = shipper or Shipper(home.tracking_of(record.tracking_uri), now_ms=clock.now_ms)
    return Tracker(home.sweep(record.id).outbox, identity=identity, shipper=shipper, now_ms=clock.now_ms)


def wait_for_delivery(tracker: Tracker, *, timeout_s: float, is_enough: Callable[[], bool] = lambda: False) -> None:
    """Wait for MLflow as long as it takes what it is sent; what is down is not waited for, `orch sync` delivers."""
    for _ in range(max(1, round(timeout_s / PATIENCE_S))):
        if tracker.flush(PATIENCE_S) or tracker.last_error is not None or is_enough():
            return


def tell_start(tracker: Tracker, record: SweepRecord, *, start_ms: int) -> None:
    """Say that a sweep runs, and where."""
    tags = dict(record.tags)
    if record.confirms is not None:
        tags["orch.confirms"] = record.confirms
    tracker.start_sweep(record.spec, yaml=dump(record.spec), tags=tags, start_ms=start_ms)


def tell_end(tracker: Tracker, summary: SweepSummary, paths: SweepPaths, *, report: Sequence[Path]) -> None:
    """Say how a sweep ended, with its report, its counts and its best checkpoint."""
    record, best = summary.sweep, summary.best
    assert record.ended_ms is not None
    tags = {f"orch.num_{key}": str(count) for key, count in summary.counts.items()} | summary.costs.tags()
    if best is not None:
        tags |= {"orch.best_trial": str(best.number), "orch.best_value": repr(best.value)}
    with tracker.together(making_up_for=[None]):
        for path in report:
            tracker.artifact(path, folder="report")
        if best is not None and (checkpoint := paths.checkpoints_of(best).get("best")):
            tracker.artifact(checkpoint, folder="best_checkpoint")
        tracker.tag(None, tags)
        tracker.end_sweep(record.state.value, _RUN_STATUS[record.state], at_ms=record.ended_ms)


def retell(tracker: Tracker, summary: SweepSummary, paths: SweepPaths) -> int:
    """Tell again what was not told; returns of how many trials. After `Tracker.forget` that is everything."""
    record, told = summary.sweep, tracker.told()
    start_missed = SWEEP_STARTED not in told or None in tracker.missed
    if start_missed:
        tell_start(tracker, record, start_ms=record.created_ms)
    num_trials = retell_trials(tracker, record, summary.trials)
    if record.ended_ms is not None and (start_missed or sweep_end_told(record.ended_ms) not in told):
        tell_end(tracker, summary, paths, report=sorted(paths.report.glob("*.*")))
    return num_trials
