"""The probe: a few short trials of the sweep on its own runner, side by side, in a process and a home of their own.

What it finds is what the sweep will meet: the workers' start, the contention between them, their memory. Called by the
plan when no earlier sweep tells the pace.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.execution.clock import Clock
from orchestrator.execution.control import SweepControl
from orchestrator.execution.progress import Event, Progress
from orchestrator.execution.runner import Capacity, Runner
from orchestrator.spec import SweepSpec, dump, parse
from orchestrator.spec.model import Budget, MaxEpochsRule, NoPruner, RandomSampler, Resources
from orchestrator.sweeps.checks import CheckedSweep, check
from orchestrator.sweeps.drive import Surroundings, launch
from orchestrator.sweeps.paths import Home, SweepPaths
from orchestrator.sweeps.planning.earlier import checkpoint_bytes
from orchestrator.sweeps.planning.pace import Pace, TrialPace, longest, time_between, trial_pace
from orchestrator.sweeps.summary import SweepSummary
from orchestrator.trial import JsonValue, TrialRecord, Value

NUM_TRIALS = 12
NUM_EPOCHS = 3
ENOUGH_S = 10.0
"""After this time the probe ends as soon as each worker has trained an epoch."""
MOST_WORKERS = 8
NAME = "probe"

BuildRunner = Callable[[SweepPaths], Runner]
"""Has to be picklable: the probe has a process of its own."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found.

    Attributes:
        pace: None when no trial trained an epoch.
        failure: why trials failed, in words; empty when none did.
    """

    capacity: Capacity | None
    pace: Pace | None
    failure: str = ""


def probe(
    checked: CheckedSweep, build: BuildRunner, *, corners: Sequence[Mapping[str, Value]], directory: Path
) -> Probed:
    """Run the probe in a new process, so that its memory is its own and nothing of it stays here."""
    text = dump(_short(checked, corners))
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_probe_quietly, text, build, len(corners), directory).result()
        except BrokenProcessPool:
            return Probed(None, None, "its process was killed; was there too little memory?")


def _probe_quietly(text: str, build: BuildRunner, num_corners: int, directory: Path) -> Probed:
    """Stdout is the plan's; what a trainable prints goes to stderr."""
    os.dup2(2, 1)
    os.chdir(directory)
    return probe_here(text, build, num_corners=num_corners, directory=directory)


def probe_here(text: str, build: BuildRunner, *, num_corners: int, directory: Path) -> Probed:
    """Run the probe in this process; `text` is its sweep file."""
    checked = check(parse(text, file="the probe"), directory=directory)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        noting = _Noting(build)
        watcher = _Watcher(home.sweep(NAME), Clock())
        around = Surroundings(home, noting.build, watcher, Clock(), directory, flush_timeout_s=0.0)
        summary = launch(checked, around, name=None, sweep_id=NAME)
        checkpoint = checkpoint_bytes(home.sweep(NAME), list(summary.trials))
    assert noting.capacity is not None
    return _probed(summary, noting.capacity, num_corners=num_corners, checkpoint=checkpoint)


def _short(checked: CheckedSweep, corners: Sequence[Mapping[str, Value]]) -> SweepSpec:
    """The same trials, but fewer and shorter, and nothing else that ends them early.

    Where the config does not say how many epochs a trial has, only a whole trial does.
    """
    spec = checked.spec
    is_length_known = "epochs" in checked.fixed or "epochs" in spec.space
    resources = {"max_concurrent": min(MOST_WORKERS, spec.resources.max_concurrent or MOST_WORKERS)}
    changes = {
        "points": tuple(corners),
        "sampler": RandomSampler(type="random"),
        "pruner": NoPruner(),
        "stop": (MaxEpochsRule(type="max_epochs", epochs=NUM_EPOCHS),) if is_length_known else (),
        "floors": {},
        "budget": Budget(trials=max(len(corners), min(NUM_TRIALS, spec.budget.trials)), max_failures=2),
        "confirm": None,
        "resources": Resources.model_validate(spec.resources.model_dump(exclude_unset=True) | resources),
    }
    return spec.model_copy(update=changes)


def _probed(summary: SweepSummary, capacity: Capacity, *, num_corners: int, checkpoint: int | None) -> Probed:
    trials = list(summary.trials)
    failure = next((trial.ending.reason for trial in trials if trial.ending and trial.bucket == "failed"), "")
    paces = {trial.number: pace for trial in trials if (pace := trial_pace(trial.measurements)) is not None}
    if not paces:
        return Probed(capacity, None, failure or summary.sweep.reason)
    measurements = [m for trial in trials for m in trial.measurements]
    at_once = min(capacity.max_concurrent, len(trials))
    drawn = tuple(pace for number, pace in paces.items() if number >= num_corners)
    return Probed(
        capacity,
        Pace(
            drawn or tuple(paces.values()),
            time_between(trials, concurrency=at_once),
            at_once,
            f"{len(paces)} short trials, {at_once} at a time on {capacity.where}, measured now",
            corners=_corners(trials[:num_corners], paces),
            longest=longest(trials),
            startup_s=summary.startup_s,
            host_bytes=max(m.host_bytes for m in measurements),
            gpu_bytes=max(m.gpu_bytes for m in measurements),
            checkpoint_bytes=checkpoint,
        ),
        failure,
    )


def _corners(trials: Sequence[TrialRecord], paces: Mapping[int, TrialPace]) -> tuple[TrialPace, TrialPace] | None:
    """Cheapest and dearest of those that were probed at the corners."""
    known = sorted((paces[trial.number] for trial in trials if trial.number in paces), key=lambda pace: pace.epoch_s)
    return (known[0], known[-1]) if len(known) > 1 else None


class _Noting:
    """The runner, which also keeps what it found when it connected."""

    def __init__(self, build: BuildRunner) -> None:
        self._build = build
        self._runner: Runner | None = None
        self.capacity: Capacity | None = None

    def build(self, paths: SweepPaths) -> "_Noting":
        """Make the runner for a sweep's files."""
        self._runner = self._build(paths)
        return self

    def connect(self, spec: SweepSpec, directory: Path, fixed: Mapping[str, JsonValue]) -> Capacity:
        """Note the capacity."""
        assert self._runner is not None, "build first"
        self.capacity = self._runner.connect(spec, directory, fixed)
        return self.capacity

    def run(self, control: SweepControl) -> None:
        """Run the probe's trials."""
        assert self._runner is not None, "build first"
        self._runner.run(control)

    def close(self) -> None:
        """Let go."""
        if self._runner is not None:
            self._runner.close()


@dataclass(slots=True)
class _Watcher:
    """Asks the probe to stop when it has measured enough."""

    paths: SweepPaths
    clock: Clock
    _progress: Callable[[], Progress] | None = None
    _started_s: float = field(default=0.0)

    def event(self, event: Event) -> None:
        """After a measurement: look at the time, and whether each worker has trained an epoch."""
        if self._progress is None or self.clock.monotonic_s() - self._started_s < ENOUGH_S:
            return
        progress = self._progress()
        if progress.num_ended or all(trial.step for trial in progress.running):
            self.paths.stop_request.touch()

    @contextmanager
    def watch(self, progress: Callable[[], Progress]) -> Iterator[None]:
        """Keep the means to look."""
        self._progress, self._started_s = progress, self.clock.monotonic_s()
        yield
        self._progress = None

    def say(self, text: str) -> None:
        """Nothing is shown."""
