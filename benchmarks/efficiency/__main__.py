"""Regret against epochs of three searches on tabulated tasks and a synthetic function: `make efficiency`.

Prints tables for docs/benchmarks.md and draws docs/images/efficiency.png. Simulated: about a minute on one core.
"""

import itertools
import sys
import time
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import NDArray
from scipy import stats

from benchmarks.efficiency.problems import PROBLEMS, Problem
from benchmarks.efficiency.searches import SEARCHES

NUM_SEEDS = 20
NUM_EPOCHS = 270
"""Thirty trials in full."""
FIRST_DRAWN = 9
"""The first full trial has ended."""
SHOWN = (45, 90, 135, 270)
IMAGE = Path(__file__).parents[2] / "docs" / "images" / "efficiency.png"

Regrets = NDArray[np.float64]
"""Best value of the problem minus best value so far: [seeds, epochs spent]."""


def regrets(problem: Problem, name: str) -> Regrets:
    """Of one search with each seed."""
    rows = []
    for seed in range(NUM_SEEDS):
        values = list(itertools.islice(SEARCHES[name](problem, seed=seed), NUM_EPOCHS))
        rows.append(problem.best - np.maximum.accumulate(values))
    return np.array(rows)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % for the mean over seeds, by Student's t."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(values.mean() - half), float(values.mean() + half)


def epochs_to(regret: Regrets, target: float) -> int | None:
    """Epochs until the mean over seeds is at or below a regret; None if it never is."""
    reached = np.flatnonzero(regret.mean(axis=0) <= target)
    return int(reached[0]) + 1 if len(reached) else None


def speed_up(regret: Regrets, random: Regrets) -> tuple[float, float, float]:
    """How many times fewer epochs than random search's whole budget reach random search's final mean regret.

    With a 95 % bootstrap interval over the seeds of both; never reached counts as 1.
    """
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(1000):
        mine, theirs = (r[rng.integers(NUM_SEEDS, size=NUM_SEEDS)] for r in (regret, random))
        draws.append(NUM_EPOCHS / (epochs_to(mine, float(theirs[:, -1].mean())) or NUM_EPOCHS))
    point = NUM_EPOCHS / (epochs_to(regret, float(random[:, -1].mean())) or NUM_EPOCHS)
    low, high = np.percentile(draws, [2.5, 97.5])
    return point, float(low), float(high)


def main() -> None:
    """Run all searches on all problems, print, draw."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found: dict[str, dict[str, Regrets]] = {}
    for problem in PROBLEMS:
        started_s = time.perf_counter()
        found[problem.name] = {name: regrets(problem, name) for name in SEARCHES}
        print(f"{problem.name}: {time.perf_counter() - started_s:.0f} s", file=sys.stderr, flush=True)
    _print_tables(found)
    _draw(found)


def _print_tables(found: dict[str, dict[str, Regrets]]) -> None:
    header = " | ".join(f"{epochs} epochs" for epochs in SHOWN)
    print(f"| task | search | {header} | times fewer epochs than random |\n|{'---|' * (len(SHOWN) + 3)}")
    for problem, searches in found.items():
        for name, regret in searches.items():
            cells = []
            for epochs in SHOWN:
                low, high = interval(regret[:, epochs - 1])
                cells.append(f"{regret[:, epochs - 1].mean():.3f} ({low:.3f} to {high:.3f})")
            point, low, high = speed_up(regret, searches["random"])
            faster = "" if name == "random" else f"{point:.1f} ({low:.1f} to {high:.1f})"
            print(f"| {problem} | {name} | {' | '.join(cells)} | {faster} |")


def _draw(found: dict[str, dict[str, Regrets]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(4 * len(found), 3.4), layout="constrained")
    for axis, (problem, searches) in zip(axes, found.items(), strict=True):
        for name, regret in searches.items():
            shown = regret[:, FIRST_DRAWN - 1 :]
            epochs, mean = np.arange(FIRST_DRAWN, NUM_EPOCHS + 1), shown.mean(axis=0)
            half = stats.t.ppf(0.975, NUM_SEEDS - 1) * stats.sem(shown, axis=0)
            axis.plot(epochs, mean, label=name)
            axis.fill_between(epochs, np.maximum(mean - half, mean / 10), mean + half, alpha=0.2)
        axis.set_yscale("log")
        axis.set_title(problem)
        axis.set_xlabel("epochs spent")
    axes[0].set_ylabel("regret, mean of 20 seeds")
    axes[0].legend()
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=110)


if __name__ == "__main__":
    main()
