"""Launching and resuming whole sweeps in this process, as the commands do, with the in-process runner."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from orchestrator.execution.clock import Clock
from orchestrator.execution.local import LocalRunner
from orchestrator.execution.progress import Event, Progress
from orchestrator.spec import SweepSpec, parse
from orchestrator.spec.dumping import dump
from orchestrator.study import Storage
from orchestrator.sweeps import drive
from orchestrator.sweeps.checks import CheckedSweep, check
from orchestrator.sweeps.lock import driving
from orchestrator.sweeps.paths import Home
from orchestrator.sweeps.summary import SweepSummary

ROOT = Path(__file__).parents[2]


class Lines:
    """A watcher that remembers; `on_event` is called with each event."""

    def __init__(self, on_event: Callable[[Event], None] = lambda event: None) -> None:
        self.events: list[Event] = []
        self.said: list[str] = []
        self.progress: list[Progress] = []
        self._on_event = on_event

    def event(self, event: Event) -> None:
        """Remember it."""
        self.events.append(event)
        self._on_event(event)

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Look once before and once after."""
        self.progress.append(progress())
        yield
        self.progress.append(progress())

    def say(self, text: str) -> None:
        """Remember it."""
        self.said.append(text)


@contextmanager
def driven(home: Home, reference: str = "toy-1") -> Iterator[None]:
    """This process drives a sweep of a home."""
    with closing(Storage(home.ledger_url)) as storage:
        record = storage.find(reference)
        with driving(storage, record, home.sweep(record.id), clock=Clock()):
            yield


class House:
    """A home in a folder."""

    def __init__(self, folder: Path, tracking: str | None = None) -> None:
        self.home = Home(folder / "home", tracking=tracking)

    def checked(self, spec: SweepSpec) -> CheckedSweep:
        """A spec after all checks."""
        return check(parse(dump(spec), file="toy.yaml"), directory=ROOT)

    def around(self, watcher: Lines | None = None) -> drive.Surroundings:
        """Everything local, nothing waited for."""
        return drive.Surroundings(
            home=self.home,
            runner=lambda paths: LocalRunner(),
            watcher=watcher or Lines(),
            clock=Clock(),
            directory=ROOT,
            flush_timeout_s=0.0,
        )

    def launch(
        self, spec: SweepSpec, *, watcher: Lines | None = None, name: str | None = None, sweep_id: str = "id-1"
    ) -> SweepSummary:
        """`orch sweep`."""
        return drive.launch(self.checked(spec), self.around(watcher), name=name, sweep_id=sweep_id)

    def resume(
        self, reference: str = "toy-1", *, watcher: Lines | None = None, overrides=(), extend=()
    ) -> SweepSummary:
        """`orch resume`."""
        return drive.resume(reference, self.around(watcher), overrides=overrides, extend=extend)
