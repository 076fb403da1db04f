"""Throughput against concurrency: trials an hour of so many processes side by side, on the CPUs and on a GPU.

`make packing` (`python -m benchmarks.packing`). On the CPUs with torch's own number of threads and with the one that a
trial has in a sweep with `cpu: 1`; on a GPU, where there is one, each process with its share of the memory. A process
warms up for an epoch and then trains one trial after another; rows take turns over the rounds.
"""

import argparse
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from threading import Barrier
from typing import Any

import torch

from orchestrator.execution.devices import limit_gpu_memory
from orchestrator.execution.machine import num_cpus, num_gpus
from orchestrator.execution.packing import MOST, share
from orchestrator.spec.loading import load
from trainables.contract import TrialContext
from trainables.registry import load_info, load_train

ROOT = Path(__file__).resolve().parent.parent
IMAGE = ROOT / "docs" / "images" / "packing.png"
TRAINABLES = ("identification", "multitask")
START_S = 300.0
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """So many processes that train a trainable side by side; `threads` of each, None for torch's own number."""

    trainable: str
    device: str
    concurrency: int
    threads: int | None

    @property
    def line(self) -> str:
        """Which line of the plot it belongs to."""
        threads = "" if self.device != "cpu" else ", default threads" if self.threads is None else ", 1 thread"
        return f"{self.trainable}, {self.device}{threads}"


def rows(trainables: Sequence[str]) -> list[Row]:
    """What can be measured here."""
    cpus, found = num_cpus(), []
    for name in trainables:
        found += [Row(name, "cpu", num, threads) for num in _powers_of_two(cpus) for threads in (None, 1)]
        if num_gpus():
            found += [Row(name, "cuda:0", num, max(1, cpus // num)) for num in _powers_of_two(min(MOST, cpus))]
    return found


def _powers_of_two(most: int) -> list[int]:
    return [2**power for power in range(most.bit_length())]


def work(row: Row, seconds: float, barrier: Barrier, rates: "Queue[float]") -> None:
    """One process: its trials an hour, or 0 where the memory did not last."""
    if row.threads is not None:
        torch.set_num_threads(row.threads)
    if row.device != "cpu":
        limit_gpu_memory(share(row.concurrency))
    fixed = load(ROOT / "search_spaces" / f"{row.trainable}.yaml").spec.config
    config, train = load_info(row.trainable).config_type.model_validate(fixed), load_train(row.trainable)
    trials = _epochs_for_ever(lambda: train(config, TrialContext(device=row.device)))
    try:
        for _ in range(2):
            next(trials)
        barrier.wait(START_S)
        began_s, num = time.perf_counter(), 0
        while time.perf_counter() - began_s < seconds:
            next(trials)
            num += 1
        epochs: int = fixed["epochs"]
        # Each trial measures the untrained model too.
        rates.put(num / (epochs + 1) / (time.perf_counter() - began_s) * HOUR_S)
    except (torch.OutOfMemoryError, threading.BrokenBarrierError):
        barrier.abort()
        rates.put(0.0)


def _epochs_for_ever(start: Callable[[], Any]) -> Any:
    while True:
        yield from start()


def rate(row: Row, seconds: float) -> float:
    """Trials an hour of all processes of a row together; 0 where the memory of one did not last."""
    spawn = multiprocessing.get_context("spawn")
    barrier, rates = spawn.Barrier(row.concurrency), spawn.Queue()
    processes = [spawn.Process(target=work, args=(row, seconds, barrier, rates)) for _ in range(row.concurrency)]
    for process in processes:
        process.start()
    found = [rates.get(timeout=START_S + seconds + 60) for _ in processes]
    for process in processes:
        process.join()
    return sum(found) if all(found) else 0.0


def table(found: dict[Row, list[float]]) -> str:
    """Medians over the rounds, with the least and the most."""
    lines = ["| trainable | device | concurrency | threads of each | trials an hour |", "|---|---|---|---|---|"]
    for row, rates in found.items():
        told = f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})" if all(rates) else "no memory"
        threads = "default" if row.threads is None else str(row.threads)
        lines.append(f"| {row.trainable} | {row.device} | {row.concurrency} | {threads} | {told} |")
    return "\n".join(lines)


def plot(found: dict[Row, list[float]], image: Path) -> None:
    """Medians against concurrency, a line for each trainable, device and way to set threads."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    lines: dict[str, list[tuple[int, list[float]]]] = {}
    for row, rates in found.items():
        lines.setdefault(row.line, []).append((row.concurrency, rates))
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for line, points in lines.items():
        middle = [statistics.median(rates) for _, rates in points]
        low = [value - min(rates) for value, (_, rates) in zip(middle, points, strict=True)]
        high = [max(rates) - value for value, (_, rates) in zip(middle, points, strict=True)]
        axes.errorbar([num for num, _ in points], middle, yerr=[low, high], marker="o", capsize=3, label=line)
    axes.set_xlabel("trials side by side")
    axes.set_ylabel("trials an hour")
    axes.set_xticks(sorted({row.concurrency for row in found}))
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.tight_layout()
    figure.savefig(image, dpi=110)


def main() -> None:
    """Measure, print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trainables", nargs="*", default=list(TRAINABLES))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each row and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path, default=IMAGE)
    options = parser.parse_args()
    found: dict[Row, list[float]] = {row: [] for row in rows(options.trainables)}
    for _ in range(options.rounds):
        for row, rates in found.items():
            rates.append(rate(row, options.seconds))
            print(row, f"{rates[-1]:.0f}", file=sys.stderr)
    gpu = torch.cuda.get_device_name(0) if num_gpus() else "no GPU: throughput on one is not measured"
    print(f"torch {torch.__version__}, {num_cpus()} CPUs, {gpu}")
    print(table(found))
    plot(found, options.plot)


if __name__ == "__main__":
    main()
