"""Small trials an hour: a plain Ray Tune script, Orch with trials alone, and Orch with trials as lanes, in one go.

`make fused-sweeps` (`python -m benchmarks.fused_sweeps`; `--repeats 3`). 64 adapters of 5 epochs, 2 workers, the same
metrics in MLflow. Wall times count from a started cluster to the end, deliveries included; the sides take turns, and
the medians over the repeats stand with their range.
"""

import argparse
import statistics

from benchmarks.overhead import CONCURRENT, run_orch, run_script

TRIALS, EPOCHS = 64, 5
LANES = 16
SPEC = "benchmarks/fused_sweeps.yaml"


def measure(*, trials: int, plain: bool) -> dict[str, float]:
    """Seconds of each side once."""
    took_s = {}
    if plain:
        options = {"work": "benchmarks.small_adapters", "trials": trials, "epochs": EPOCHS, "first_rung": EPOCHS}
        took_s["plain Ray Tune"] = run_script("plain_ray_tune", **options)["plain_s"]
    for name, fuse in {"Orch, trials alone": "off", f"Orch, {LANES} lanes": str(LANES)}.items():
        took_s[name] = run_orch(SPEC, f"budget.trials={trials}", f"execution.fuse={fuse}")["elapsed_s"]
    return took_s


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plain", action=argparse.BooleanOptionalAction, default=True, help="the plain script too")
    options = parser.parse_args()
    runs = [measure(trials=options.trials, plain=options.plain) for _ in range(options.repeats)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    fused = medians[f"Orch, {LANES} lanes"]
    print(f"{options.trials} trials of {EPOCHS} epochs, {CONCURRENT} workers\n")
    print("| | seconds | trials an hour | lanes are faster by |\n|---|---|---|---|")
    for name, median in medians.items():
        found = [run[name] for run in runs]
        spread = f"{median:.1f} ({min(found):.1f} to {max(found):.1f})"
        print(f"| {name} | {spread} | {3600 * options.trials / median:.0f} | {median / fused:.1f} |")


if __name__ == "__main__":
    main()
