"""Acting on a sweep from outside its driver: ask it to stop, deliver what MLflow has not got yet."""

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from orchestrator.errors import UsageError
from orchestrator.execution.clock import Clock
from orchestrator.study import SweepRecord
from orchestrator.sweeps.confirming.telling import retell_confirmation
from orchestrator.sweeps.lock import driver_of, driving
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.read import open_storage
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.sweeps.telling import open_tracker, retell
from orchestrator.tracking import without_credentials


def request_stop(home: Home, reference: str) -> tuple[SweepRecord, str]:
    """Ask the driver of a sweep to pause it; returns the sweep and who drives it.

    Raises:
        UsageError: nobody drives it, or its driver does not see this home.
    """
    with closing(open_storage(home)) as storage:
        record = storage.find(reference)
        paths = home.sweep(record.id)
        driver = driver_of(storage, record, paths)
    if driver is None:
        raise UsageError(f"sweep {record.name} is not running: its state is {record.state.value}")
    if not driver.is_here:
        raise UsageError(f"sweep {record.name} is driven from another home, by {driver.words}; stop it there")
    paths.stop_request.touch()
    return record, driver.words


@dataclass(frozen=True, slots=True)
class Delivery:
    """What `deliver` did: operations delivered, still pending, refused for good, and why the last attempt failed."""

    shipped: int
    pending: int
    rejected: int
    error: str | None


def deliver(
    home: Home, reference: str, *, clock: Clock, timeout_s: float, everything: bool = False
) -> tuple[SweepRecord, Delivery]:
    """Ship what MLflow has not got of a sweep, and note in the ledger which runs it has.

    What is neither delivered nor in the outbox is told again from the ledger. With `everything` all of it is, as to a
    store that knows nothing.

    Raises:
        LockedError: its driver runs, and ships it.
    """
    with ExitStack() as stack:
        storage = stack.enter_context(closing(open_storage(home)))
        ledger = storage.open(reference)
        record = ledger.sweep
        paths = home.sweep(record.id)
        stack.enter_context(driving(storage, record, paths, clock=clock))
        tracker = stack.enter_context(closing(open_tracker(record, home, clock=clock)))
        if everything:
            tracker.forget()
        is_new = not tracker.told()
        retell(tracker, SweepSummary(record, ledger.records()), paths)
        if is_new:
            retell_confirmation(tracker, record, home)
        tracker.flush(timeout_s)
        lag = tracker.lag
        report = Delivery(tracker.num_shipped, lag.num_pending, lag.num_rejected, tracker.last_error)
        if tracker.parent_run_id is not None:
            ledger.set_run_ids(tracker.run_ids())
            uri = without_credentials(home.tracking_of(record.tracking_uri))
            ledger.update_sweep(replace(ledger.sweep, tracking_uri=uri, parent_run_id=tracker.parent_run_id))
    return record, report
