"""Run the three sweeps beside this file with several seeds and compare their best: `make population`.

Each spends 96 epochs a seed. Prints a table for docs/benchmarks.md; about twelve minutes on one core.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

HERE = Path(__file__).parent
WAYS = ("fixed", "linear", "pbt")
NUM_SEEDS = 8


def best(way: str, seed: int, home: Path) -> float:
    """The best objective of one sweep, through the command that everybody uses."""
    command = [sys.executable, "-m", "orchestrator", "sweep", str(HERE / f"{way}.yaml")]
    options = ["--runner", "local", "--quiet", "--json", "--home", str(home), "--set", f"seed={seed}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *options], env=environment, text=True, stdout=subprocess.PIPE, check=True)
    return float(json.loads(done.stdout)["best"]["value"])


def interval(values: NDArray[np.float64]) -> str:
    """Mean and 95 % interval by Student's t."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{values.mean():.3f} ({values.mean() - half:.3f} to {values.mean() + half:.3f})"


def main() -> None:
    """Print one row a way: its best, and how much better it is than the fixed values, paired by seed."""
    with tempfile.TemporaryDirectory() as home:
        found = {way: np.array([best(way, seed, Path(home)) for seed in range(NUM_SEEDS)]) for way in WAYS}
    print(f"| schedule | best Recall@1, mean of {NUM_SEEDS} seeds | minus fixed, paired |\n|---|---|---|")
    for way, values in found.items():
        print(f"| {way} | {interval(values)} | {'' if way == 'fixed' else interval(values - found['fixed'])} |")


if __name__ == "__main__":
    main()
