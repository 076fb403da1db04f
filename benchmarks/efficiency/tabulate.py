"""Train every configuration of a table once and write its curves: `python -m benchmarks.efficiency.tabulate adapter`.

The tables are in the repository, so that hundreds of simulated sweeps cost seconds. A table of 250 to 400 curves takes
5 to 15 minutes on one core.
"""

import json
import sys
from pathlib import Path

import torch

from benchmarks.efficiency.tasks import TASKS, Scalar, TabulatedTask
from trainables.contract import TrialContext
from trainables.registry import load_info, load_train

TABLES = Path(__file__).parent / "tables"
SEED = 0


def main(names: list[str]) -> None:
    """Make the named tables, or all."""
    torch.set_num_threads(1)
    for name in names or list(TASKS):
        curves = [curve(TASKS[name], cell) for cell in TASKS[name].cells()]
        TABLES.mkdir(exist_ok=True)
        rows = ",\n".join(json.dumps(values) for values in curves)
        (TABLES / f"{name}.json").write_text(f"[{rows}]\n")
        print(f"{name}: {len(curves)} curves of {TASKS[name].epochs} epochs")


def curve(task: TabulatedTask, cell: dict[str, Scalar]) -> list[float | None]:
    """The objective at each epoch from 0 on; None where it is not a number."""
    info, train = load_info(task.trainable), load_train(task.trainable)
    config = info.config_type.model_validate(_overlaid(task, cell))
    values = [m.metrics[task.metric] for m in train(config, TrialContext(seed=SEED))]
    return [round(value, 5) if value == value else None for value in values]


def _overlaid(task: TabulatedTask, cell: dict[str, Scalar]) -> dict[str, object]:
    """The task's config with the cell's values at their dotted keys."""
    config: dict[str, object] = json.loads(json.dumps({**task.config, "epochs": task.epochs}))
    for key, value in cell.items():
        *parents, last = key.split(".")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})  # type: ignore[assignment]
        place[last] = value
    return config


if __name__ == "__main__":
    main(sys.argv[1:])
