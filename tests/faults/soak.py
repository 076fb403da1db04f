"""Many short trials on Ray with a fault every half minute, until all have ended: `make soak`.

`python -m tests.faults.soak 100 --every 15` runs 100 trials with a fault every 15 s. Faults take turns: the driver is
killed and resumed, a worker is killed, MLflow's server is killed for 10 s, the driver gets SIGTERM and is resumed.
"""

import argparse
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from subprocess import Popen

import psutil

from tests.faults.accounts import SWEEP, Memory, faults_of, where
from tests.faults.long_page import fault_lines, write_section
from tests.support.commands import Done, Orch
from tests.support.mlflow_server import Server
from tests.support.specs import TWO_WORKERS

TRIALS, EPOCHS, EVERY_S, SERVER_AWAY_S = 1000, 4, 30.0, 10.0
SIGTERM_CODE = 143


class Fault(StrEnum):
    """What happens to the sweep."""

    DRIVER_KILLED = "driver killed and resumed"
    WORKER_KILLED = "worker killed"
    SERVER_AWAY = "MLflow's server killed for 10 s"
    DRIVER_TERMINATED = "driver terminated and resumed"


@dataclass
class Soak:
    """One sweep, its MLflow server, and what was done to them."""

    orch: Orch
    server: Server
    rng: random.Random
    say: Callable[[str], None]
    memory: Memory = field(default_factory=Memory)
    done: Counter[Fault] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)

    def run(self, *, trials: int, every_s: float) -> list[str]:
        """Run the sweep to its end with a fault every so many seconds; returns what was wrong."""
        sections = {
            "trials": trials,
            # One parameter alone has no room for so many configurations that are not repeats of each other.
            "space": {name: {"type": "float", "low": -1.0, "high": 1.0} for name in ("x", "z")},
            "config": {"epochs": EPOCHS, "epoch_s": 0.25},
            "sampler": {"type": "tpe"},
            "pruner": {"type": "asha", "min_epochs": 1, "reduction_factor": 3},
            "resources": TWO_WORKERS | {"checkpoint_interval_s": 1.0},
        }
        self.server.start()
        process = self._start("sweep", self.orch.file(**sections))
        faults = list(Fault)
        while self._trains_for(process, every_s):
            if sum(self.done.values()) % len(faults) == 0:
                self.rng.shuffle(faults)
            process = self._inject(faults[sum(self.done.values()) % len(faults)], process)
        ended = self._end(process)
        if ended.code:
            self.surprises.append(f"the sweep ended with exit {ended.code}: {ended.err}")
        self.server.wait()
        found = faults_of(self.orch, self.memory, trials=trials, epochs=EPOCHS, uri=self.server.uri)
        return self.surprises + found

    def _start(self, *arguments: object) -> "Popen[str]":
        return self.orch.start(*arguments, "--quiet", *where(self.server.uri))

    @staticmethod
    def _end(process: "Popen[str]") -> Done:
        return Orch.end(process, timeout=300)

    def _trains_for(self, process: "Popen[str]", seconds: float) -> bool:
        """Wait so long, and until workers train; False when the sweep has ended."""
        end = time.monotonic() + seconds
        while process.poll() is None and (time.monotonic() < end or not workers(process)):
            time.sleep(0.2)
        return process.poll() is None

    def _inject(self, fault: Fault, process: "Popen[str]") -> "Popen[str]":
        """Do it; returns the driver that runs from here on."""
        records = self.orch.records()
        self.memory.look(records)
        self.say(f"{sum(r.state.is_terminal for r in records)} trials have ended; {fault}")
        self.done[fault] += 1
        match fault:
            case Fault.WORKER_KILLED:
                for worker in workers(process)[:1]:
                    worker.kill()
            case Fault.SERVER_AWAY:
                self.server.stop()
                time.sleep(SERVER_AWAY_S)
                self.server.launch()
            case Fault.DRIVER_KILLED | Fault.DRIVER_TERMINATED:
                return self._interrupt(process, fault)
        return process

    def _interrupt(self, process: "Popen[str]", fault: Fault) -> "Popen[str]":
        number, code = (signal.SIGKILL, -9) if fault is Fault.DRIVER_KILLED else (signal.SIGTERM, SIGTERM_CODE)
        process.send_signal(number)
        ended = self._end(process)
        if ended.code not in (code, 0):  # 0: it had just ended by itself
            self.surprises.append(f"{fault}: exit {ended.code}, expected {code}: {ended.err}")
        return self._start("resume", SWEEP)


def workers(process: "Popen[str]") -> list[psutil.Process]:
    """The processes in which trials of a driver run now."""
    found = []
    try:
        for child in psutil.Process(process.pid).children(recursive=True):
            name = child.cmdline()[:1]
            if name and name[0].startswith("ray::orch-"):
                found.append(child)
    except psutil.Error:
        return []
    return found


def page(soak: Soak, faults: list[str], *, trials: int, every_s: float, wall_s: float) -> str:
    """The result in Markdown."""
    records = soak.orch.records()
    states = Counter(record.state.value for record in records)
    return "\n".join(
        [
            f"{trials} trials of {EPOCHS} epochs of 0.25 s (tpe, asha) on Ray with two workers and a real MLflow "
            f"server, a fault every {every_s:g} s: {len(faults)} faults of Orch. {wall_s / 60:.0f} minutes.",
            "",
            "| what | count |",
            "|---|---|",
            *(f"| {fault} | {soak.done[fault]} |" for fault in Fault),
            *(f"| trials {state} | {count} |" for state, count in sorted(states.items())),
            f"| attempts of all trials | {sum(record.attempt for record in records)} |",
            f"| measurements | {sum(len(record.measurements) for record in records)} |",
            *fault_lines(faults),
        ]
    )


def run(folder: Path, *, trials: int, every_s: float, say: Callable[[str], None]) -> tuple[list[str], str]:
    """Run it all; the faults, and the page's section."""
    begin = time.monotonic()
    soak = Soak(Orch(folder), Server(folder), random.Random(0), say)
    try:
        faults = soak.run(trials=trials, every_s=every_s)
        return faults, page(soak, faults, trials=trials, every_s=every_s, wall_s=time.monotonic() - begin)
    finally:
        soak.orch.close()
        soak.server.stop()


def main() -> None:
    """Soak, print, and write the page; ends with 1 when there are faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trials", nargs="?", type=int, default=TRIALS)
    parser.add_argument("--every", type=float, default=EVERY_S, metavar="S", help="seconds from fault to fault")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orch-soak-") as folder:
        faults, text = run(
            Path(folder), trials=options.trials, every_s=options.every, say=lambda line: print(line, flush=True)
        )
    write_section("Soak", text)
    print(text)
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
