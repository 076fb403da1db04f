"""Launching and resuming: the one place where spec, runner, ledger and tracker meet."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread

from orchestrator import tracking
from orchestrator.errors import BrokenOffError, InfrastructureError, SpecError, UsageError
from orchestrator.execution.checkpoint_names import remove_unfinished
from orchestrator.execution.clock import Clock
from orchestrator.execution.control import ControlSettings, Halt, SweepControl
from orchestrator.execution.runner import Capacity, Runner
from orchestrator.execution.signals import Received, handling_signals
from orchestrator.spec import difference, dump, parse
from orchestrator.study import Confirming, Ledger, Storage, SweepRecord, SweepState, is_absent
from orchestrator.study.proposals import Proposer
from orchestrator.study.variance import SLOW_IMPORTS
from orchestrator.sweeps.changed import code_news, code_warning, file_news, refuse_edited_copy, write_copy
from orchestrator.sweeps.checks import CheckedSweep, check, check_name
from orchestrator.sweeps.continuing import History
from orchestrator.sweeps.extending import extend_trials, extended_record, read_extension, trials_to_extend
from orchestrator.sweeps.lock import driving
from orchestrator.sweeps.maintain import deliver
from orchestrator.sweeps.overview import refuse_emptied
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.read import open_storage, show
from orchestrator.sweeps.report import write_report
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.sweeps.telling import PATIENCE_S, open_tracker, retell, tell_end, tell_start, wait_for_delivery
from orchestrator.sweeps.watching import Guarded, Watcher
from orchestrator.tracking import Shipper, Tracker, is_reachable, without_credentials
from orchestrator.trial import TrialRecord

CHANGEABLE = ("budget", "resources", "execution")
"""Sections that may differ when a sweep is resumed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What launching and resuming need besides the question itself.

    Attributes:
        directory: where the command was called: a user's own modules and relative paths are found there.
        flush_timeout_s: how long the end of a sweep waits for MLflow.
        take_over: drive a sweep in the place of whoever drives it now.
    """

    home: Home
    runner: Callable[[SweepPaths], Runner]
    watcher: Watcher
    clock: Clock
    directory: Path
    flush_timeout_s: float = 20.0
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class _Connected:
    """A reached cluster: what it has, how long that took, when it was, and who got ready for MLflow meanwhile."""

    capacity: Capacity
    startup_s: float
    at_s: float
    shipper: Shipper


@dataclass(frozen=True, slots=True)
class Confirmatory:
    """What makes a sweep a confirmation: what it confirms, and who proposes in the sampler's place."""

    confirming: Confirming
    proposer: Proposer


def launch(
    checked: CheckedSweep,
    around: Surroundings,
    *,
    name: str | None,
    sweep_id: str,
    confirmatory: Confirmatory | None = None,
    history: History | None = None,
) -> SweepSummary:
    """Run a new sweep to its end; with a `history` its sampler knows another sweep's trials from the beginning.

    Raises:
        UsageError: the name is none or taken, or the cluster can never run a trial.
        InfrastructureError: cluster or ledger cannot be reached. Nothing was created.
    """
    refuse_emptied(around.home)
    if name is not None:
        check_name(name)
        _refuse_taken(name, around.home)
    paths = around.home.sweep(sweep_id)
    runner = around.runner(paths)
    with ExitStack() as stack:
        received = stack.enter_context(handling_signals())
        connected = _connect(runner, checked, around, stack, tracking_uri=around.home.tracking_uri)
        storage = Storage(around.home.ledger_url)
        stack.callback(storage.close)
        record = SweepRecord(
            name=name or storage.next_name(checked.spec.name),
            id=sweep_id,
            spec=checked.spec,
            created_ms=around.clock.now_ms(),
            fixed=checked.space.fixed,
            text=checked.document.text,
            file=checked.document.file,
            confirming=None if confirmatory is None else confirmatory.confirming,
            continued=None if history is None else history.continued,
            tracking_uri=without_credentials(around.home.tracking_uri),
        )
        stack.enter_context(driving(storage, record, paths, clock=around.clock))
        _make_folder(paths.checkpoints)
        ledger = storage.create(
            record,
            proposer=None if confirmatory is None else confirmatory.proposer,
            history=() if history is None else history.trials,
        )
        write_copy(checked.spec, paths)
        code_news(ledger, name=checked.spec.trainable)
        drive = _Drive(around, paths, storage, ledger, connected, received)
        return drive.run(runner, record)


def _refuse_taken(name: str, home: Home) -> None:
    """Before a cluster is started for nothing; `Storage.create` refuses what came in between."""
    if is_absent(home.ledger_url):
        return
    with closing(Storage(home.ledger_url)) as storage:
        if name in storage.names:
            raise UsageError(f"a sweep named {name!r} exists already; choose another --name or resume it")


def resume(
    reference: str,
    around: Surroundings,
    *,
    overrides: Sequence[str] = (),
    extend: Sequence[str] = (),
    proposer: Proposer | None = None,
) -> SweepSummary:
    """Go on with a sweep: open trials first, with their numbers and parameters, then the rest.

    `overrides` may change its budget and its resources. A complete sweep is left as it is, unless they extend it.
    `extend` asks for more trials, or for more epochs of the trials that had all of theirs, as `read_extension` says.
    A confirmation needs the `proposer` that it had at first.

    Raises:
        SweepNotFoundError, LockedError, InfrastructureError
        UsageError: an override changes the question.
    """
    with ExitStack() as stack:
        received = stack.enter_context(handling_signals())
        storage = stack.enter_context(closing(open_storage(around.home)))
        record = storage.find(reference)
        if record.confirms is not None and proposer is None:
            raise UsageError(f"{record.name} confirms {record.confirms}; go on with: orch confirm {record.confirms}")
        if record.state is SweepState.COMPLETE and not overrides and not extend:
            more = f"orch resume {record.name} --extend trials=+{record.spec.budget.trials}"
            around.watcher.say(f"sweep {record.name} is complete, nothing is left to do; more trials: {more}")
            if around.take_over:
                with driving(storage, record, around.home.sweep(record.id), clock=around.clock, take_over=True):
                    """Only to be rid of a driver that is dead on another machine."""
            return _deliver_rest(record, around)
        paths = around.home.sweep(record.id)
        stack.enter_context(driving(storage, record, paths, clock=around.clock, take_over=around.take_over))
        storage.check()
        # Read again: whoever drove it until now may have changed it.
        record = storage.find(record.name)
        refuse_edited_copy(record, paths)
        if news := file_news(record, directory=around.directory):
            around.watcher.say(news)
        extension = read_extension(extend, record)
        record = _with_overrides(extended_record(record, extension), overrides)
        checked = check(parse(dump(record.spec), file=str(paths.spec)), directory=around.directory)
        ledger = storage.open(record.name, proposer=proposer)
        longer = trials_to_extend(ledger, paths, epochs=extension.epochs) if extension.epochs else []
        runner = around.runner(paths)
        tracking_uri = around.home.tracking_of(record.tracking_uri)
        connected = _connect(runner, checked, around, stack, tracking_uri=tracking_uri)
        if overrides or extend:
            # A driver that dies here leaves no copy rather than one that looks edited.
            paths.spec.unlink(missing_ok=True)
            ledger.replace_spec(record)
            ledger = storage.open(record.name, proposer=proposer)
            write_copy(record.spec, paths)
            extend_trials(ledger, paths, longer)
        paths.stop_request.unlink(missing_ok=True)
        remove_unfinished(paths.checkpoints)
        if files := code_news(ledger, name=record.spec.trainable):
            around.watcher.say(code_warning(files))
        drive = _Drive(around, paths, storage, ledger, connected, received, changed_files=files)
        return drive.run(runner, replace(record, tracking_uri=without_credentials(tracking_uri)))


def _deliver_rest(record: SweepRecord, around: Surroundings) -> SweepSummary:
    """A driver may have been killed after its last trial and before its last delivery."""
    if is_reachable(around.home.tracking_of(record.tracking_uri), timeout_s=PATIENCE_S):
        deliver(around.home, record.name, clock=around.clock, timeout_s=around.flush_timeout_s)
    return show(around.home, record.name)


def _make_folder(checkpoints: Path) -> None:
    """Now, because later each trial would fail for it."""
    try:
        checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"checkpoints cannot be kept in {checkpoints}: {error.strerror}") from error


def _connect(
    runner: Runner, checked: CheckedSweep, around: Surroundings, stack: ExitStack, *, tracking_uri: str
) -> _Connected:
    started_s = around.clock.monotonic_s()
    stack.callback(runner.close)
    shipper = Shipper(tracking_uri, now_ms=around.clock.now_ms)
    stack.callback(shipper.close)
    imports = Thread(target=lambda: [import_module(name) for name in SLOW_IMPORTS], name="imports", daemon=True)
    imports.start()
    try:
        capacity = runner.connect(checked.spec, around.directory, checked.fixed)
    except UsageError as error:
        raise SpecError([checked.document.fault(("resources",), str(error))]) from error
    imports.join()  # others that import the same meanwhile may see half of a module
    at_s = around.clock.monotonic_s()
    return _Connected(capacity, startup_s=at_s - started_s, at_s=at_s, shipper=shipper)


def _with_overrides(record: SweepRecord, overrides: Sequence[str]) -> SweepRecord:
    if not overrides:
        return record
    spec = parse(dump(record.spec), file=f"{record.name} (as launched)", overrides=overrides).spec
    changed = [change for change in difference(record.spec, spec) if change.path.split(".")[0] not in CHANGEABLE]
    if changed:
        lines = "\n".join(f"  {change.path}: {change.old} -> {change.new}" for change in changed)
        allowed = f"{', '.join(CHANGEABLE[:-1])} and {CHANGEABLE[-1]}"
        raise UsageError(f"a resumed sweep keeps its question; only {allowed} may change:\n{lines}")
    return replace(record, spec=spec)


def _wall_so_far_s(record: SweepRecord, trials: Sequence[TrialRecord]) -> float:
    """Seconds that all drivers have run; one that was killed noted them at its last ending, and with measurements."""
    return max([record.wall_s, *(m.wall_s for trial in trials for m in trial.measurements)])


@dataclass(slots=True)
class _Drive:
    """One driver's life: from a connected runner to the summary."""

    around: Surroundings
    paths: SweepPaths
    storage: Storage
    ledger: Ledger
    connected: _Connected
    received: Received
    changed_files: Sequence[str] = ()

    def run(self, runner: Runner, record: SweepRecord) -> SweepSummary:
        around = self.around
        tracker = open_tracker(record, around.home, clock=around.clock, shipper=self.connected.shipper)
        try:
            where = {"orch.device": self._device(), "orch.runner": self.connected.capacity.where}
            if self.connected.capacity.packing:
                where["orch.packing"] = self.connected.capacity.packing
            if self.changed_files:
                where["orch.code_changed"] = ", ".join(self.changed_files)
            record = replace(
                record,
                state=SweepState.RUNNING,
                reason="",
                wall_s=_wall_so_far_s(record, self.ledger.records()),
                gpus=self.connected.capacity.gpu,
                ended_ms=None,
                tags=tracking.provenance(around.directory) | where,
            )
            self.ledger.update_sweep(record)
            tell_start(tracker, record, start_ms=around.clock.now_ms())
            halt, wall_s = self._search(runner, record, tracker)
            self.received.pause_with(lambda _: None)
            record = replace(
                record, state=halt.state, reason=halt.reason, wall_s=wall_s, ended_ms=around.clock.now_ms()
            )
            return self._finish(record, tracker)
        except (InfrastructureError, OSError) as error:
            raise BrokenOffError(str(error), sweep=record.name) from error
        finally:
            tracker.close()

    def _device(self) -> str:
        return f"{self.connected.capacity.gpu:g} GPU per trial" if self.connected.capacity.gpu else "cpu"

    def _search(self, runner: Runner, record: SweepRecord, tracker: Tracker) -> tuple[Halt, float]:
        around = self.around
        settings = ControlSettings(
            checkpoints=self.paths.checkpoints,
            stop_request=self.paths.stop_request,
            directory=around.directory,
            earlier_wall_s=record.wall_s,
            devices=self.connected.capacity.devices(record.spec.resources),
            gpu_fraction=min(1.0, self.connected.capacity.gpu or 1.0),
        )
        watcher = Guarded(around.watcher)
        control = SweepControl(self.ledger, tracker, settings, clock=around.clock, listener=watcher.event)
        watcher.say(
            f"sweep {record.name}: {self.ledger.limit} trials, {self.connected.capacity.max_concurrent} at a time on "
            f"{self.connected.capacity.where}"
        )
        if self.connected.capacity.packing:
            watcher.say(self.connected.capacity.packing)
        self.received.pause_with(control.request_pause)
        with watcher.watch(control.progress):
            self._run(runner, control)
        halt = control.finish()
        return halt, control.wall_s

    def _run(self, runner: Runner, control: SweepControl) -> None:
        try:
            runner.run(control)
        # A runner may pass on what the control raises in its own words.
        except Exception as error:
            raise (self.storage.failure or error) from error

    def _finish(self, record: SweepRecord, tracker: Tracker) -> SweepSummary:
        paused_by = self.received.number
        summary = SweepSummary(record, self.ledger.records())
        tell_end(tracker, summary, self.paths, report=self._report(summary.trials))
        # Only now: a sweep that is marked as ended is not taken up again, and its run would stay open.
        self.ledger.update_sweep(record)
        retell(tracker, summary, self.paths)
        wait_for_delivery(
            tracker,
            timeout_s=self.around.flush_timeout_s,
            is_enough=lambda: self.received.number != paused_by,
        )
        record, trials = self._note_runs(record, summary.trials, tracker)
        return replace(
            summary,
            sweep=record,
            trials=trials,
            num_pending=tracker.lag.num_pending,
            signal=self.received.number,
            startup_s=round(self.connected.startup_s, 3),
            elapsed_s=round(self.around.clock.monotonic_s() - self.connected.at_s, 3),
        )

    def _report(self, trials: Sequence[TrialRecord]) -> list[Path]:
        """Nothing else depends on it: a disk that is full for it is said, and the sweep has ended all the same."""
        try:
            return write_report(self.ledger, trials, self.paths.report)
        except OSError as error:
            self.around.watcher.say(f"the report cannot be written to {self.paths.report}: {error.strerror}")
            return []

    def _note_runs(
        self, record: SweepRecord, trials: Sequence[TrialRecord], tracker: Tracker
    ) -> tuple[SweepRecord, list[TrialRecord]]:
        """Store the runs that MLflow has given by now; the trials come back with them."""
        runs = tracker.run_ids()
        known = {trial.number: trial.run_id for trial in trials}
        self.ledger.set_run_ids({n: run_id for n, run_id in runs.items() if n in known and known[n] != run_id})
        record = replace(record, parent_run_id=tracker.parent_run_id)
        self.ledger.update_sweep(record)
        return record, [replace(trial, run_id=runs.get(trial.number, trial.run_id)) for trial in trials]
