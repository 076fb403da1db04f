"""Train each system on real data and print the figures with their intervals: `make real`.

The data is read from `../shared/data` or from the folder in ORCH_REAL_DATA. `python -m benchmarks.real toxicity`
measures one system.
"""

import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.real.result import Result

SYSTEMS = {
    "adapter": ".",
    "identification": "ecg-id",
    "multitask": "omniglot",
    "incremental": "omniglot",
    "toxicity": "hate-speech",
}
"""System to the folder that it reads."""
ROOT = Path(__file__).resolve().parents[2]


def main(names: Sequence[str]) -> None:
    """Measure the named systems, or all."""
    data = Path(os.environ.get("ORCH_REAL_DATA", ROOT.parent / "shared" / "data"))
    print("| system | figure | mean | 95 % interval | n | target | baseline |\n|---|---|---|---|---|---|---|")
    for name in names or SYSTEMS:
        if not (data / SYSTEMS[name]).is_dir():
            print(f"| {name} | skipped: {data / SYSTEMS[name]} is not there | | | | | |", flush=True)
            continue
        started_s = time.perf_counter()
        for result in importlib.import_module(f"benchmarks.real.{name}").measure(data):
            print(_row(name, result), flush=True)
        print(f"{name}: {time.perf_counter() - started_s:.0f} s", file=sys.stderr)


def _row(name: str, result: Result) -> str:
    interval = f"{result.low:.3f} to {result.high:.3f}"
    cells = [name, result.what, f"{result.value:.3f}", interval, str(result.num), result.target, result.baseline]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
