"""The same work three times in one go: a plain Ray Tune script as a user would write it, an expert's, and Orch.

32 trials of up to 10 epochs, about 0.1 s of training each (`--epoch-s 0.1` makes it 0.1 s an epoch), 2 at a time, the
same metrics in MLflow. Wall times count from a started cluster to the end, deliveries included.

`--json` prints one document with `speedup_vs_plain`, `speedup_vs_expert`, the seconds behind them, and
`overhead_fraction` of a second sweep with 1-second epochs: the share of its two workers' time that was not spent in a
trainable.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.ray_scripts import QUIET

ROOT = Path(__file__).resolve().parent.parent
CONCURRENT = 2
SPEC = "benchmarks/overhead.yaml"


def run_script(script: str, **options: object) -> dict:
    """A script's figures."""
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return _run(["-m", f"benchmarks.{script}", f"--concurrent={CONCURRENT}", *given])


def run_orch(spec: str, *overrides: str) -> dict:
    """The final JSON of an Orch sweep."""
    sets = [part for override in overrides for part in ("--set", override)]
    with tempfile.TemporaryDirectory(prefix="orch-overhead-") as home:
        command = ["-m", "orchestrator", "sweep", spec, "--json", "--quiet", "--home", home]
        return _run([*command, *sets])


def overhead_fraction(summary: dict) -> float:
    """The share of the workers' time outside of trainables, while trials ran."""
    return 1 - summary["train_s"] / (CONCURRENT * summary["wall_s"])


def measure(options: argparse.Namespace) -> dict:
    """Run everything once."""
    plain = run_script("plain_ray_tune", trials=options.trials, epochs=10, epoch_s=options.epoch_s)
    expert = run_script("expert_ray_tune", trials=options.trials, epochs=10, epoch_s=options.epoch_s)
    orch = run_orch(SPEC, f"budget.trials={options.trials}", f"config.epoch_s={options.epoch_s}")
    figures = {
        "speedup_vs_plain": round(plain["plain_s"] / orch["elapsed_s"], 2),
        "speedup_vs_expert": round(expert["expert_s"] / orch["elapsed_s"], 2),
        "plain_s": plain["plain_s"],
        "expert_s": expert["expert_s"],
        "orch_s": orch["elapsed_s"],
        "train_s": orch["train_s"],
        "plain_train_s": plain["train_s"],
        "expert_train_s": expert["train_s"],
        "search_s": orch["wall_s"],
        "trials": options.trials,
        "counts": orch["counts"],
    }
    if options.long:
        long = run_orch(SPEC, "budget.trials=6", "config.epoch_s=1.0", "pruner={type: none}")
        figures["overhead_fraction"] = round(overhead_fraction(long), 4)
        figures["long_wall_s"] = long["wall_s"]
        figures["long_train_s"] = long["train_s"]
    return figures


def _run(arguments: list[str]) -> dict:
    environment = {**os.environ, **QUIET}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout[done.stdout.index("{") :])


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--epoch-s", type=float, default=0.01, help="CPU seconds an epoch of the short trials")
    parser.add_argument("--long", action=argparse.BooleanOptionalAction, default=True, help="the 1-second epochs too")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    figures = measure(options)
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:<18} {value}")


if __name__ == "__main__":
    main()
