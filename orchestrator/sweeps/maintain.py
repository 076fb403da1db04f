"""Acting on a sweep from outside its driver: ask it to stop, deliver what MLflow has not got yet."""

from contextlib import ExitStack, closing
from dataclasses import replace

from orchestrator.errors import UsageError
from orchestrator.execution.clock import Clock
from orchestrator.study import SweepRecord
from orchestrator.sweeps.lock import driver_lock, holder
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.tracking import SyncReport, sync, without_credentials


def request_stop(home: Home, reference: str) -> tuple[SweepRecord, str]:
    """Ask the driver of a sweep to pause it; returns the sweep and who drives it.

    Raises:
        UsageError: nobody drives it.
    """
    with closing(open_storage(home)) as storage:
        record = storage.find(reference)
    paths = home.sweep(record.id)
    driver = holder(paths.lock)
    if driver is None:
        raise UsageError(f"sweep {record.name} is not running: its state is {record.state.value}")
    paths.stop_request.touch()
    return record, driver


def deliver(home: Home, reference: str, *, clock: Clock, timeout_s: float) -> tuple[SweepRecord, SyncReport]:
    """Ship what is left in a sweep's outbox, and note in the ledger which runs it made.

    Raises:
        UsageError: there is nothing to deliver.
        LockedError: its driver runs, and ships it.
    """
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(open_storage(home))).open(reference)
        record = ledger.sweep
        paths = home.sweep(record.id)
        uri = home.tracking_of(record.tracking_uri)
        stack.enter_context(driver_lock(paths.lock, record.name))
        report = sync(paths.outbox, tracking_uri=uri, timeout_s=timeout_s, now_ms=clock.now_ms)
        if report.parent_run_id is not None:
            for number, run_id in report.run_ids.items():
                ledger.set_run_id(number, run_id)
            ledger.update_sweep(
                replace(ledger.sweep, tracking_uri=without_credentials(uri), parent_run_id=report.parent_run_id)
            )
    return record, report
