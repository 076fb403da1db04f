"""`Desk`: runs a spec with the in-process runner over a real ledger and outbox in a folder, again and again."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.execution.clock import Clock
from orchestrator.execution.control import ControlSettings, Halt, SweepControl
from orchestrator.execution.local import LocalRunner
from orchestrator.execution.progress import Event
from orchestrator.spec import SweepSpec, parse
from orchestrator.spec.dumping import dump
from orchestrator.study import Ledger, Storage, SweepRecord
from orchestrator.sweeps.checks import check
from orchestrator.tracking import Identity, Shipper, Tracker
from orchestrator.tracking.outbox import Outbox
from orchestrator.trial import JsonValue, TrialRecord

NAME = "toy-1"


class Desk:
    """One sweep's files. Each call of `run` is a new driver on the same ledger."""

    def __init__(self, folder: Path, empty_ledger: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.empty = empty_ledger
        shutil.copy(empty_ledger, folder / "ledger.db")
        self.checkpoints = folder / "checkpoints"
        self.stop_request = folder / "stop"
        self._open: list[Storage] = []

    def storage(self) -> Storage:
        """A fresh connection, without anything remembered from another one."""
        storage = Storage(self.url)
        self._open.append(storage)
        return storage

    def create(self, spec: SweepSpec, fixed: Mapping[str, JsonValue] | None = None) -> Ledger:
        """A new sweep; `fixed` defaults to what the toy's Config says."""
        if fixed is None:
            fixed = check(parse(dump(spec), file="toy.yaml"), directory=self.folder).fixed
        return self.storage().create(SweepRecord(NAME, "id-1", spec, created_ms=0, fixed=fixed))

    def reopen(self) -> Ledger:
        """The sweep as another process would see it."""
        return self.storage().open(NAME)

    def tracker(self) -> Tracker:
        """A tracker over the sweep's outbox."""
        identity = Identity(sweep=NAME, sweep_id="id-1", experiment="toys", artifacts=self.folder / "artifacts")
        shipper = Shipper("nowhere", now_ms=Clock().now_ms)
        return Tracker(self.folder / "outbox.db", identity=identity, shipper=shipper, now_ms=Clock().now_ms)

    def control(
        self,
        ledger: Ledger,
        tracker: Tracker,
        *,
        listener: Callable[[Event], None] = lambda event: None,
        clock: Clock | None = None,
        earlier_wall_s: float = 0.0,
    ) -> SweepControl:
        """A driver's control over the sweep."""
        settings = ControlSettings(self.checkpoints, self.stop_request, earlier_wall_s=earlier_wall_s)
        return SweepControl(ledger, tracker, settings, clock=clock or Clock(), listener=listener)

    def run(
        self,
        spec: SweepSpec | None = None,
        *,
        listener: Callable[[SweepControl, Event], None] = lambda control, event: None,
        clock: Clock | None = None,
        earlier_wall_s: float = 0.0,
    ) -> Halt:
        """One driver's life, in this process: create the sweep from `spec`, or go on with it."""
        ledger = self.create(spec) if spec else self.reopen()
        tracker = self.tracker()
        box: list[SweepControl] = []

        def tell(event: Event) -> None:
            if box:
                listener(box[0], event)

        control = self.control(ledger, tracker, listener=tell, clock=clock, earlier_wall_s=earlier_wall_s)
        box.append(control)
        try:
            LocalRunner().run(control)
            return control.finish()
        finally:
            tracker.close()

    def records(self) -> list[TrialRecord]:
        """The trials, read with a fresh connection."""
        return self.reopen().records()

    def said(self) -> list[object]:
        """What MLflow would be told, oldest first."""
        outbox = Outbox(self.folder / "outbox.db")
        operations = [entry.operation for entry in outbox.pending(100_000)]
        outbox.close()
        return operations

    def close(self) -> None:
        """Let all connections go."""
        for storage in self._open:
            storage.close()
