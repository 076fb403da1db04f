"""Did something become slow? Each ratio in under a minute, against the one on record.

`make bench-quick` fails where a ratio has fallen by more than a third. All are ratios of two times on one machine in
one run, and larger is better. What has fallen is measured again, twice at most: the machine may have been busy for a
moment. `--record` writes down what is measured as what is expected.
"""

import argparse
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import driver, fused, overhead, training

RECORD = Path(__file__).with_suffix(".json")
FALL = 1 / 3
TRIES = 3


def speedups() -> dict[str, float]:
    """A short sweep beside the plain Ray Tune script and the expert's."""
    figures = overhead.measure(Namespace(trials=8, epoch_s=0.01, long=False))
    return {"plain script / Orch": figures["speedup_vs_plain"], "expert's script / Orch": figures["speedup_vs_expert"]}


def lanes() -> dict[str, float]:
    """An epoch of a small adapter alone, over one as a lane of sixteen."""
    alone_s, lane_s = (min(fused.epoch_s("adapter, hidden 64", num) for _ in range(2)) for num in (1, 16))
    return {"adapter alone / a lane of 16": alone_s / lane_s}


def evaluation() -> dict[str, float]:
    """A plain product and `topk`, over Recall@k."""
    ours_s, plain_s, _ = training.time_recall(20_000)
    return {"product and topk / Recall@k": plain_s / ours_s}


def growth() -> dict[str, float]:
    """What a trial costs the driver at 100 trials, over what it costs at 1,000."""
    with tempfile.TemporaryDirectory(prefix="orch-quick-") as home:
        figures = driver.measure(
            Path(home), sampler="random", trials=1000, epochs=3, pruner="asha", tracking_uri=driver.NOWHERE
        )
    early, late = (row for row in figures["rows"] if row["trials"] in (100, 1000))
    return {"driver's ms a trial at 100 / at 1,000": early["cpu_ms_per_trial"] / late["cpu_ms_per_trial"]}


MEASUREMENTS: tuple[Callable[[], dict[str, float]], ...] = (lanes, evaluation, growth, speedups)


def best_of(measure: Callable[[], dict[str, float]], expected: Mapping[str, float]) -> dict[str, float]:
    """The ratios, measured again where one has fallen."""
    best: dict[str, float] = {}
    for _ in range(TRIES):
        found = measure()
        best = {name: max(value, best.get(name, 0.0)) for name, value in found.items()}
        if not any(has_fallen(value, expected.get(name)) for name, value in best.items()):
            break
    return best


def has_fallen(value: float, expected: float | None) -> bool:
    """By more than a third."""
    return expected is not None and value < (1 - FALL) * expected


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write the ratios down as the expected ones")
    options = parser.parse_args()
    torch.set_num_threads(1)
    expected = {} if options.record else json.loads(RECORD.read_text())
    ratios = {name: round(value, 2) for act in MEASUREMENTS for name, value in best_of(act, expected).items()}
    if options.record:
        RECORD.write_text(json.dumps(ratios, indent=2) + "\n")
    table = Table("ratio", "expected", "measured", "")
    for name, value in ratios.items():
        verdict = "has fallen" if has_fallen(value, expected.get(name)) else "holds"
        table.add_row(name, f"{expected.get(name, value):.2f}", f"{value:.2f}", verdict)
    Console().print(table)
    sys.exit(any(has_fallen(value, expected.get(name)) for name, value in ratios.items()))


if __name__ == "__main__":
    main()
