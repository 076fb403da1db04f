"""Launching and resuming: the one place where spec, runner, ledger and tracker meet."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import tracking
from orchestrator.errors import InfrastructureError, SpecError, UsageError
from orchestrator.execution.checkpoint_names import remove_unfinished
from orchestrator.execution.clock import Clock
from orchestrator.execution.control import ControlSettings, Halt, SweepControl
from orchestrator.execution.runner import Capacity, Runner
from orchestrator.execution.signals import Received, pausing_on_signals
from orchestrator.spec import difference, dump, parse
from orchestrator.study import Confirming, Ledger, Storage, SweepRecord, SweepState, is_absent
from orchestrator.study.proposals import Proposer
from orchestrator.sweeps.checks import CheckedSweep, check, check_name
from orchestrator.sweeps.continuing import History
from orchestrator.sweeps.extending import extend_trials, extended_record, read_extension, trials_to_extend
from orchestrator.sweeps.lock import driver_lock
from orchestrator.sweeps.maintain import deliver
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.read import open_storage, show
from orchestrator.sweeps.report import write_report
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.sweeps.watching import Guarded, Watcher
from orchestrator.tracking import Identity, Tracker, is_reachable, num_pending
from orchestrator.trial import RunStatus, TrialRecord

EXPERIMENT = "orch"
CHANGEABLE = ("budget", "resources")
"""Sections that may differ when a sweep is resumed."""
MOST_IDLE_S = 600.0
"""How long a driver may have run without training, such as while its workers started, before a kill."""
PATIENCE_S = 1.0
"""How long the end of a sweep waits for an MLflow that does not answer."""

_RUN_STATUS = {
    SweepState.COMPLETE: RunStatus.FINISHED,
    SweepState.FAILED: RunStatus.FAILED,
    SweepState.BUDGET_ENDED: RunStatus.KILLED,
    SweepState.PAUSED: RunStatus.KILLED,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What launching and resuming need besides the question itself.

    Attributes:
        directory: where the command was called: a user's own modules and relative paths are found there.
        flush_timeout_s: how long the end of a sweep waits for MLflow.
    """

    home: Home
    runner: Callable[[SweepPaths], Runner]
    watcher: Watcher
    clock: Clock
    directory: Path
    flush_timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class _Connected:
    """A reached cluster: what it has, how long that took, when it was, and what was got ready for MLflow meanwhile."""

    capacity: Capacity
    startup_s: float
    at_s: float
    preload: tracking.Preload


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
    if name is not None:
        check_name(name)
        _refuse_taken(name, around.home)
    paths = around.home.sweep(sweep_id)
    runner = around.runner(paths)
    with ExitStack() as stack:
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
            tracking_uri=around.home.tracking_uri,
        )
        stack.enter_context(driver_lock(paths.lock, record.name))
        _make_folder(paths.checkpoints)
        ledger = storage.create(
            record,
            proposer=None if confirmatory is None else confirmatory.proposer,
            history=() if history is None else history.trials,
        )
        paths.spec.write_text(dump(checked.spec))
        drive = _Drive(around, paths, ledger, connected)
        return drive.run(runner, record)


def open_tracker(record: SweepRecord, around: Surroundings) -> Tracker:
    """Whoever holds a sweep's lock may tell MLflow of it; a confirmation's run belongs under its search's."""
    identity = Identity(
        sweep=record.name,
        sweep_id=record.id,
        experiment=EXPERIMENT,
        artifacts=around.home.artifacts,
        parent_sweep_id=None if record.confirming is None else record.confirming.sweep_id,
    )
    outbox, uri = around.home.sweep(record.id).outbox, around.home.tracking_of(record.tracking_uri)
    return Tracker(outbox, identity=identity, tracking_uri=uri, now_ms=around.clock.now_ms)


def wait_for_delivery(tracker: Tracker, around: Surroundings) -> None:
    """Wait for MLflow as long as it takes what it is sent; what is down is not waited for, `orch sync` delivers."""
    for _ in range(max(1, round(around.flush_timeout_s / PATIENCE_S))):
        if tracker.flush(PATIENCE_S) or tracker.last_error is not None:
            return


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
    storage = open_storage(around.home)
    with ExitStack() as stack:
        stack.callback(storage.close)
        record = storage.find(reference)
        if record.confirms is not None and proposer is None:
            raise UsageError(f"{record.name} confirms {record.confirms}; go on with: orch confirm {record.confirms}")
        if record.state is SweepState.COMPLETE and not overrides and not extend:
            more = f"orch resume {record.name} --extend trials=+{record.spec.budget.trials}"
            around.watcher.say(f"sweep {record.name} is complete, nothing is left to do; more trials: {more}")
            return _deliver_rest(record, around)
        paths = around.home.sweep(record.id)
        stack.enter_context(driver_lock(paths.lock, record.name))
        extension = read_extension(extend, record)
        record = _with_overrides(extended_record(record, extension), overrides)
        checked = check(parse(dump(record.spec), file=str(paths.spec)), directory=around.directory)
        ledger = storage.open(record.name, proposer=proposer)
        longer = trials_to_extend(ledger, paths, epochs=extension.epochs) if extension.epochs else []
        runner = around.runner(paths)
        tracking_uri = around.home.tracking_of(record.tracking_uri)
        connected = _connect(runner, checked, around, stack, tracking_uri=tracking_uri)
        if overrides or extend:
            ledger.replace_spec(record)
            ledger = storage.open(record.name, proposer=proposer)
            paths.spec.write_text(dump(record.spec))
            extend_trials(ledger, paths, longer)
        paths.stop_request.unlink(missing_ok=True)
        remove_unfinished(paths.checkpoints)
        drive = _Drive(around, paths, ledger, connected)
        return drive.run(runner, replace(record, tracking_uri=tracking_uri))


def _deliver_rest(record: SweepRecord, around: Surroundings) -> SweepSummary:
    """A driver may have been killed after its last trial and before its last delivery."""
    uri = around.home.tracking_of(record.tracking_uri)
    if num_pending(around.home.sweep(record.id).outbox) and is_reachable(uri, timeout_s=PATIENCE_S):
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
    preload = tracking.Preload(tracking_uri)
    stack.callback(preload.discard)
    try:
        capacity = runner.connect(checked.spec, around.directory)
    except UsageError as error:
        raise SpecError([checked.document.fault(("resources",), str(error))]) from error
    preload.wait()
    at_s = around.clock.monotonic_s()
    return _Connected(capacity, startup_s=at_s - started_s, at_s=at_s, preload=preload)


def _with_overrides(record: SweepRecord, overrides: Sequence[str]) -> SweepRecord:
    if not overrides:
        return record
    spec = parse(dump(record.spec), file=f"{record.name} (as launched)", overrides=overrides).spec
    changed = [change for change in difference(record.spec, spec) if change.path.split(".")[0] not in CHANGEABLE]
    if changed:
        lines = "\n".join(f"  {change.path}: {change.old} -> {change.new}" for change in changed)
        raise UsageError(f"a resumed sweep keeps its question; only {' and '.join(CHANGEABLE)} may change:\n{lines}")
    return replace(record, spec=spec)


def _wall_so_far_s(record: SweepRecord, trials: Sequence[TrialRecord]) -> float:
    """Seconds that all drivers have run; one that was killed noted them at its last ending, and measured after that.

    What came after is a difference of dates: a clock that was set in between counts for no more than was trained.
    """
    if record.state is not SweepState.RUNNING or record.noted_ms is None:
        return record.wall_s
    noted_ms = record.noted_ms
    later = [m for trial in trials for m in trial.measurements if m.at_ms > noted_ms]
    dated_s = max((m.at_ms - noted_ms for m in later), default=0) / 1000
    return record.wall_s + min(dated_s, sum(m.train_s for m in later) + MOST_IDLE_S)


@dataclass(slots=True)
class _Drive:
    """One driver's life: from a connected runner to the summary."""

    around: Surroundings
    paths: SweepPaths
    ledger: Ledger
    connected: _Connected

    def run(self, runner: Runner, record: SweepRecord) -> SweepSummary:
        around = self.around
        tracker = self._tracker(record)
        try:
            tags = tracking.provenance(around.directory) | {
                "orch.device": self._device(),
                "orch.runner": self.connected.capacity.where,
            }
            if record.confirms is not None:
                tags["orch.confirms"] = record.confirms
            tracker.start_sweep(record.spec, yaml=dump(record.spec), tags=tags)
            record = replace(
                record,
                state=SweepState.RUNNING,
                reason="",
                wall_s=_wall_so_far_s(record, self.ledger.records()),
                noted_ms=around.clock.now_ms(),
                gpus=self.connected.capacity.gpu,
                ended_ms=None,
            )
            self.ledger.update_sweep(record)
            halt, received, wall_s = self._search(runner, record, tracker)
            record = replace(
                record, state=halt.state, reason=halt.reason, wall_s=wall_s, ended_ms=around.clock.now_ms()
            )
            return self._finish(record, tracker, received)
        finally:
            tracker.close()

    def _tracker(self, record: SweepRecord) -> Tracker:
        self.connected.preload.put_in_place()
        return open_tracker(record, self.around)

    def _device(self) -> str:
        return f"{self.connected.capacity.gpu:g} GPU per trial" if self.connected.capacity.gpu else "cpu"

    def _search(self, runner: Runner, record: SweepRecord, tracker: Tracker) -> tuple[Halt, Received, float]:
        around = self.around
        settings = ControlSettings(
            checkpoints=self.paths.checkpoints,
            stop_request=self.paths.stop_request,
            directory=around.directory,
            earlier_wall_s=record.wall_s,
            devices=self.connected.capacity.devices(record.spec.resources),
        )
        watcher = Guarded(around.watcher)
        control = SweepControl(self.ledger, tracker, settings, clock=around.clock, listener=watcher.event)
        watcher.say(
            f"sweep {record.name}: {self.ledger.limit} trials, {self.connected.capacity.max_concurrent} at a time on "
            f"{self.connected.capacity.where}"
        )
        with pausing_on_signals(control) as received:
            with watcher.watch(control.progress):
                runner.run(control)
            halt = control.finish()
        return halt, received, control.wall_s

    def _finish(self, record: SweepRecord, tracker: Tracker, received: Received) -> SweepSummary:
        for path in write_report(self.ledger, self.paths.report):
            tracker.artifact(path, folder="report")
        summary = SweepSummary(record, self.ledger.records())
        if summary.best is not None and (best := self.paths.checkpoints_of(summary.best).get("best")):
            tracker.artifact(best, folder="best_checkpoint")
        self._measure_sweep(tracker, summary)
        tracker.end_sweep(record.state.value, _RUN_STATUS[record.state])
        # Only now: a sweep that is marked as ended is not taken up again, and its run would stay open.
        self.ledger.update_sweep(record)
        wait_for_delivery(tracker, self.around)
        record, trials = self._note_runs(record, summary.trials, tracker)
        return replace(
            summary,
            sweep=record,
            trials=trials,
            num_pending=tracker.lag.num_pending,
            signal=received.number,
            startup_s=round(self.connected.startup_s, 3),
            elapsed_s=round(self.around.clock.monotonic_s() - self.connected.at_s, 3),
        )

    def _measure_sweep(self, tracker: Tracker, summary: SweepSummary) -> None:
        best = summary.best
        tags = {f"orch.num_{key}": str(count) for key, count in summary.counts.items()} | summary.costs.tags()
        if best is not None:
            tags |= {"orch.best_trial": str(best.number), "orch.best_value": repr(best.value)}
        tracker.tag(None, tags)

    def _note_runs(
        self, record: SweepRecord, trials: Sequence[TrialRecord], tracker: Tracker
    ) -> tuple[SweepRecord, list[TrialRecord]]:
        """Store the runs that MLflow has given by now; the trials come back with them."""
        runs = tracker.run_ids()
        for trial in trials:
            if trial.number in runs and trial.run_id != runs[trial.number]:
                self.ledger.set_run_id(trial.number, runs[trial.number])
        record = replace(record, parent_run_id=tracker.parent_run_id)
        self.ledger.update_sweep(record)
        return record, [replace(trial, run_id=runs.get(trial.number, trial.run_id)) for trial in trials]
