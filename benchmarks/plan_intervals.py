"""Ten sweeps of different kinds, each planned first and then run, to see whether the intervals of plans hold.

`orch plan` in a home of its own, then `orch sweep` in another, as a user would: what the sweep took is compared with
the three intervals of the plan: wall hours from the start of the search, hours of training, epochs. Prints a Markdown
table; `--only N` runs one of them, `--json FILE` keeps the figures.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSES = 8
TOY = """\
name: {name}
trainable: benchmarks.plan_toy:train
objective: {{metric: val/score, direction: maximize}}
space:
  x: {{type: float, low: 0.0, high: 1.0}}
{space}
config: {{epochs: {epochs}}}
sampler: {sampler}
pruner: {pruner}
budget: {{trials: {trials}}}
resources: {{gpu: 0}}
"""


@dataclass(frozen=True)
class Case:
    """One sweep: a shipped file, or a toy's text, with what is changed."""

    name: str
    runner: str
    file: str = ""
    text: str = ""
    sets: tuple[str, ...] = ()


def toy(name: str, runner: str, **parts: object) -> Case:
    """A sweep of sleeping trials."""
    defaults = {"space": "", "epochs": 9, "sampler": "{type: random}", "pruner": "{type: none}", "trials": 12}
    text = TOY.format(**{"name": "toy", **defaults, **parts})
    return Case(name, runner, text=text)


ASHA = "{type: asha, min_epochs: 1, reduction_factor: 3}"
TPE = "{type: tpe, startup_trials: 5}"
WIDTH = "  width: {type: int, low: 1, high: 12}"
PLATEAU = "{type: none}\nstop: [{type: plateau, patience: 3, min_delta: 0.02}]"
CASES = (
    Case("adapter, asha", "local", "adapter", sets=("budget.trials=5", "config.epochs=8")),
    Case("incremental, asha, no epochs in the config", "ray", "incremental", sets=("budget.trials=5",)),
    Case(
        "toxicity, asha and a stop rule",
        "ray",
        "toxicity",
        sets=("budget.trials=6", "config.epochs=4", "pruner.min_epochs=1"),
    ),
    Case(
        "multitask, asha and a stop rule",
        "ray",
        "multitask",
        sets=("budget.trials=6", "config.epochs=5", "config.data.num_train=128"),
    ),
    toy("toy, no pruner", "local", trials=8, epochs=8),
    toy("toy, asha and tpe", "ray", trials=24, sampler=TPE, pruner=ASHA),
    toy("toy, hyperband", "ray", trials=20, pruner="{type: hyperband, min_epochs: 1, reduction_factor: 3}"),
    toy("toy, median", "ray", trials=16, pruner="{type: median, startup_trials: 4, min_epochs: 1}"),
    toy("toy, width searched by tpe", "ray", trials=14, epochs=6, sampler=TPE, space=WIDTH),
    toy("toy, plateau rule", "local", trials=12, epochs=10, pruner=PLATEAU),
)


def main() -> int:
    """Run all cases; 0 when each interval held in at least eight of ten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, choices=range(len(CASES)), help="Run one case, by its number.")
    parser.add_argument("--json", type=Path, help="Keep the figures in this file.")
    options = parser.parse_args()
    chosen = CASES if options.only is None else CASES[options.only : options.only + 1]
    figures = []
    print("| sweep | runner | quantity | planned | real | inside |\n|---|---|---|---|---|---|", flush=True)
    for case in chosen:
        figures.append(measure(case))
        print("\n".join(rows(figures[-1])), flush=True)
    held = {key: sum(figure[key]["inside"] for figure in figures) for key in ("wall_s", "train_s", "epochs")}
    widths = {key: sorted(figure[key]["ratio"] for figure in figures)[len(figures) // 2] for key in held}
    for key, count in held.items():
        print(
            f"\n{key}: inside in {count} of {len(figures)}; the median interval's high end is {widths[key]:.1f} x low"
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))
    return 0 if min(held.values()) >= PASSES * len(figures) / len(CASES) else 1


def measure(case: Case) -> dict:
    """Plan and run one case."""
    with tempfile.TemporaryDirectory(prefix="orch-plan-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "toy.yaml"
        file.write_text(case.text)
        path = f"search_spaces/{case.file}.yaml" if case.file else str(file)
        sets = [part for override in case.sets for part in ("--set", override)]
        common = [path, "--json", "--runner", case.runner, *sets]
        began_s = time.monotonic()
        planned = orch("plan", *common, "--home", f"{folder}/plan")
        plan_s = time.monotonic() - began_s
        real = orch("sweep", *common, "--quiet", "--home", f"{folder}/sweep")
    forecast = planned["forecast"]
    pairs = {
        "wall_s": (scaled(forecast["hours"]), real["wall_s"]),
        "train_s": (scaled(forecast["device_hours"]), real["costs"]["total"]["train_s"]),
        "epochs": (forecast["epochs"], real["costs"]["total"]["epochs"]),
    }
    compared = {key: {**interval, "real": value, **judged(interval, value)} for key, (interval, value) in pairs.items()}
    return {"name": case.name, "runner": case.runner, "plan_s": plan_s, **compared}


def scaled(hours: dict) -> dict:
    """Hours of one core or GPU as seconds."""
    return {key: value * 3600 for key, value in hours.items()}


def judged(interval: dict, value: float) -> dict:
    """Whether the interval contains the value, and how wide it is."""
    inside = round(interval["low"], 6) <= value <= round(interval["high"], 6)
    return {"inside": inside, "ratio": interval["high"] / max(interval["low"], 1e-9)}


def rows(figure: dict) -> list[str]:
    """Three lines of the table."""
    names = {"wall_s": "wall, s", "train_s": "training, s", "epochs": "epochs"}
    made = []
    for key, name in names.items():
        one = figure[key]
        planned = f"{one['mid']:.4g} ({one['low']:.4g} to {one['high']:.4g})"
        head = f"{figure['name']} | {figure['runner']}" if key == "wall_s" else " | "
        made.append(f"| {head} | {name} | {planned} | {one['real']:.4g} | {'yes' if one['inside'] else 'no'} |")
    return made


def orch(*arguments: str) -> dict:
    """The JSON that a command prints."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ORCH_HOME": "", "PYTHONPATH": str(ROOT)}
    environment.pop("ORCH_HOME")
    command = [sys.executable, "-m", "orchestrator", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=400)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
