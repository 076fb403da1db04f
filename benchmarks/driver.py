"""What the driver itself costs, event by event: the real control, ledger and outbox under a runner that trains nothing.

16 trials in work at a time, 20 metrics a measurement, MLflow out of reach. At each mark (100, 1,000, 10,000 trials) it
prints milliseconds of the driver's thread for a hand-out (`ask`), a measurement (`report`) and an ending (`tell`), the
means of the trials before the mark, and how much memory the process has held. Costs that grow show as ratios above 1.
"""

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from orchestrator.execution.assignment import Assignment, Done, Measured
from orchestrator.execution.clock import Clock
from orchestrator.execution.control import ControlSettings, Directive, SweepControl
from orchestrator.spec import SweepSpec
from orchestrator.study import Storage, SweepRecord
from orchestrator.tracking import Identity, Shipper, Tracker
from orchestrator.trial import JsonValue

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9"
"""Nobody answers there: operations gather in the outbox."""
NUM_METRICS = 20
CONCURRENT = 16
WINDOW = 64
"""Trials before a mark whose events are averaged."""


def spec_of(sampler: str, *, trials: int, epochs: int) -> SweepSpec:
    """Six floats, a whole number, a choice and a parameter under a condition."""
    floats = {f"x{n}": {"type": "float", "low": 0.0, "high": 1.0} for n in range(6)}
    return SweepSpec.model_validate(
        {
            "name": "driver",
            "trainable": "benchmarks.workload:train",
            "objective": {"metric": "score", "direction": "maximize"},
            "space": {
                **floats,
                "layers": {"type": "int", "low": 1, "high": 8},
                "loss": {"type": "categorical", "choices": ["clip", "supcon", "triplet"]},
                "margin": {"type": "float", "low": 0.0, "high": 0.6, "when": {"loss": "triplet"}},
            },
            "config": {"epochs": epochs},
            "sampler": {"type": sampler},
            "pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 3},
            "budget": {"trials": trials},
        }
    )


@dataclass(slots=True)
class Worker:
    """A trial in work; its curve rises to a ceiling that its parameters decide."""

    assignment: Assignment
    epochs: int
    step: int = -1

    def advance(self) -> Measured | Done:
        """The next measurement, at once."""
        if self.step == self.epochs:
            return Done(train_s=0.01)
        self.step += 1
        config = self.assignment.config
        off = sum((float(config[f"x{n}"]) - 0.3) ** 2 for n in range(6))  # type: ignore[arg-type]
        score = math.exp(-off) * (1 - math.exp(-(self.step + 1) / 3))
        metrics = {"score": score} | {f"metric/{n:02d}": score / (n + 1) for n in range(1, NUM_METRICS)}
        return Measured(self.step, metrics, train_s=0.01)


@dataclass(slots=True)
class Meter:
    """Wall and CPU seconds of one kind of event, the newest last."""

    wall_s: deque[float]
    cpu_s: deque[float]
    num: int = 0

    def add(self, wall_s: float, cpu_s: float) -> None:
        """Note one event."""
        self.wall_s.append(wall_s)
        self.cpu_s.append(cpu_s)
        self.num += 1

    @property
    def means_ms(self) -> tuple[float, float]:
        """Wall and CPU, the means of what is remembered."""
        return round(1000 * fmean(self.wall_s or [0.0]), 2), round(1000 * fmean(self.cpu_s or [0.0]), 2)


LINES = {
    "cpu_ms_per_trial": "all of a trial",
    "ask_cpu_ms": "hand-out",
    "tell_cpu_ms": "ending, with its last measurement",
    "report_cpu_ms": "measurement",
}


def _meter(memory: int) -> Meter:
    return Meter(deque(maxlen=memory), deque(maxlen=memory))


@dataclass(slots=True)
class FakeRunner:
    """Calls the control as a runner does, and times what it does."""

    control: SweepControl
    epochs: int
    marks: tuple[int, ...]
    ask: Meter = field(default_factory=lambda: _meter(WINDOW))
    report: Meter = field(default_factory=lambda: _meter(4 * WINDOW))
    tell: Meter = field(default_factory=lambda: _meter(WINDOW))
    rows: list[dict[str, JsonValue]] = field(default_factory=list)

    def run(self) -> None:
        """Until the control has no more."""
        workers: deque[Worker] = deque()
        num_ended, started, began_cpu = 0, time.perf_counter(), time.thread_time()
        while True:
            while len(workers) < CONCURRENT:
                wall, cpu = time.perf_counter(), time.thread_time()
                assignment = self.control.next()
                if assignment is None:
                    break
                self.ask.add(time.perf_counter() - wall, time.thread_time() - cpu)
                self.control.began(assignment.number, attempt=assignment.attempt)
                workers.append(Worker(assignment, self.epochs))
            if not workers:
                return
            worker = workers.popleft()
            if self._advance(worker) is Directive.GO_ON:
                workers.append(worker)
                continue
            num_ended += 1
            if num_ended in self.marks:
                spent = time.thread_time() - began_cpu
                self._note(num_ended, wall_s=time.perf_counter() - started, cpu_s=spent)

    def _advance(self, worker: Worker) -> Directive:
        number, attempt, outcome = worker.assignment.number, worker.assignment.attempt, worker.advance()
        wall, cpu = time.perf_counter(), time.thread_time()
        directive = self.control.outcome(number, outcome, attempt=attempt)
        meter = self.report if directive is Directive.GO_ON else self.tell
        meter.add(time.perf_counter() - wall, time.thread_time() - cpu)
        return directive

    def _note(self, num_trials: int, *, wall_s: float, cpu_s: float) -> None:
        row: dict[str, JsonValue] = {"trials": num_trials}
        for name, meter in (("ask", self.ask), ("report", self.report), ("tell", self.tell)):
            row[f"{name}_ms"], row[f"{name}_cpu_ms"] = meter.means_ms
        row |= {
            "reports": self.report.num,
            "wall_s": round(wall_s, 1),
            "cpu_ms_per_trial": round(1000 * cpu_s / num_trials, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "rss_mb": _rss_mb(),
        }
        self.rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)


def _rss_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def measure(
    home: Path, *, sampler: str, trials: int, epochs: int, pruner: str, tracking_uri: str
) -> dict[str, JsonValue]:
    """One sweep under the fake runner, then a resume of it as far as the first hand-out."""
    spec = spec_of(sampler, trials=trials, epochs=epochs)
    if pruner == "none":
        spec = spec.model_copy(update={"pruner": SweepSpec.model_fields["pruner"].get_default() or spec.pruner})
    record = SweepRecord("driver-1", "id-1", spec, created_ms=0, fixed=dict(spec.config))
    ledger_url = f"sqlite:///{home}/ledger.db"
    storage = Storage(ledger_url)
    ledger = storage.create(record)
    identity = Identity(sweep="driver-1", sweep_id="id-1", experiment="orch", artifacts=home / "artifacts")
    clock = Clock()
    shipper = Shipper(tracking_uri, now_ms=clock.now_ms)
    tracker = Tracker(home / "outbox.db", identity=identity, shipper=shipper, now_ms=clock.now_ms)
    settings = ControlSettings(home / "checkpoints", home / "stop")
    marks = tuple(n for n in (100, 300, 1000, 3000, 10_000) if n <= trials)
    runner = FakeRunner(SweepControl(ledger, tracker, settings, clock=clock), epochs, marks)
    runner.run()
    tracker.close()
    storage.close()
    return {"sampler": sampler, "epochs": epochs, "pruner": pruner, "rows": runner.rows}


def plot(files: Sequence[Path], image: Path) -> None:
    """What each kind of event and a whole trial cost against the number of trials, a panel for each sampler."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(files), figsize=(5 * len(files), 4), sharey=True, squeeze=False)
    for axes, file in zip(panels[0], files, strict=True):
        found = json.loads(file.read_text())
        numbers = [row["trials"] for row in found["rows"]]
        for key, line in LINES.items():
            axes.plot(numbers, [row[key] for row in found["rows"]], marker="o", label=line)
        axes.set_xscale("log")
        axes.set_xlabel("trials")
        axes.set_title(found["sampler"])
    panels[0][0].set_ylim(bottom=0)
    panels[0][0].set_ylabel("ms of the driver's processor")
    panels[0][0].legend()
    figure.tight_layout()
    figure.savefig(image, dpi=110)


def main() -> None:
    """Parse the command line and print the figures, or draw those of earlier runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sampler", choices=["tpe", "random"], default="tpe")
    parser.add_argument("--pruner", choices=["asha", "none"], default="asha")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--home", type=Path, help="keep the files there")
    parser.add_argument("--profile", type=Path, help="write a profile of the run there")
    parser.add_argument("--plot", type=Path, nargs="+", metavar="JSON", help="draw what was printed, into --image")
    parser.add_argument("--image", type=Path, default=ROOT / "docs" / "images" / "driver.png")
    options = parser.parse_args()
    if options.plot:
        plot(options.plot, options.image)
        return
    with tempfile.TemporaryDirectory(prefix="orch-driver-") as folder:
        arguments = {
            "sampler": options.sampler,
            "trials": options.trials,
            "epochs": options.epochs,
            "pruner": options.pruner,
        }

        def run():
            return measure(options.home or Path(folder), tracking_uri=NOWHERE, **arguments)

        if options.profile:
            import cProfile

            profile = cProfile.Profile()
            figures = profile.runcall(run)
            profile.dump_stats(options.profile)
        else:
            figures = run()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
