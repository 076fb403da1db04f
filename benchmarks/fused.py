"""Lanes against trials alone: seconds of the processor per trial and epoch, one thread, for each fusible trainable.

`make fused` (`python -m benchmarks.fused`; `--lanes 4,16`). Trials differ in their rates. Two epochs warm up and are
left out; medians over the repeats, in which alone and fused take turns.
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence

import torch

from trainables.contract import TrialContext
from trainables.registry import load_info, load_train, load_train_lanes

LANES = (4, 16)
REPEATS = 3
WARM_UP, EPOCHS = 2, 3
_DATA = {"source": "generated", "num_classes": 8, "num_train": 512, "imbalance": 4.0}
SCENARIOS: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "adapter, hidden 64": (
        "adapter",
        "clip",
        {"clip": {"adapter": {"hidden": 64}}, "t5": {"adapter": {"hidden": 64}}, "data": _DATA},
    ),
    "adapter, hidden 256": ("adapter", "clip", {"data": _DATA}),
    "identification, width 8": ("identification", "", {"sizes": {"width": 8, "embedding": 16}, "batches_per_epoch": 5}),
    "identification, width 32": ("identification", "", {"batches_per_epoch": 5}),
    "multitask, width 16": (
        "multitask",
        "",
        {
            "sizes": {"width": 16, "embedding": 16, "heads": 2},
            "batch_size": 16,
            "data": {"source": "angiogram", "num_train": 64, "num_val": 32, "num_test": 8},
        },
    ),
    "incremental, width 4": (
        "incremental",
        "",
        {"epochs_per_step": 2, "batch_size": 16, "sizes": {"width": 4, "embedding": 16}, "stream": {"num_steps": 3}},
    ),
    "incremental, width 16": ("incremental", "", {"epochs_per_step": 2, "stream": {"num_steps": 3}}),
    "toxicity, width 16": (
        "toxicity",
        "",
        {
            "batch_size": 16,
            "sizes": {"width": 16, "heads": 2, "buckets": 1024},
            "data": {"source": "generated", "num_train": 512, "num_val": 128, "num_test": 40},
        },
    ),
    "toxicity, width 64": ("toxicity", "", {}),
}
"""Row of the table to trainable, section of the rate that differs, and config."""


def config_of(scenario: str, place: int) -> object:
    """The config of one lane."""
    name, section, fixed = SCENARIOS[scenario]
    config_type = load_info(name).config_type
    # A trial of several steps has as many epochs as they take.
    values: dict[str, object] = dict(fixed)
    if "epochs" in config_type.model_fields:
        values["epochs"] = WARM_UP + EPOCHS
    holder = values
    if section:
        values[section] = holder = dict(values.get(section, {}))  # type: ignore[call-overload]
    holder["optimizer"] = {"lr": 1e-4 * (1 + place)}
    return config_type.model_validate(values)


def epoch_s(scenario: str, lanes: int) -> float:
    """Seconds of the processor for an epoch of one trial, alone or as one of so many lanes."""
    name = SCENARIOS[scenario][0]
    configs = [config_of(scenario, place) for place in range(lanes)]
    if lanes == 1:
        running = load_train(name)(configs[0], TrialContext())
    else:
        running = load_train_lanes(name)(configs, [TrialContext()] * lanes)
    for _ in range(1 + WARM_UP):
        next(running)
    began_s = time.process_time()
    for _ in range(EPOCHS):
        next(running)
    took_s = time.process_time() - began_s
    running.close()
    return took_s / EPOCHS / lanes


def row(scenario: str, lanes: Sequence[int]) -> str:
    """A line of the table."""
    times: dict[int, list[float]] = {num: [] for num in (1, *lanes)}
    for _ in range(REPEATS):
        for num, found in times.items():
            found.append(epoch_s(scenario, num))
    medians = {num: statistics.median(found) for num, found in times.items()}
    gains = " | ".join(f"{medians[1] / medians[num]:.2f}" for num in lanes)
    return f"| {scenario} | {1000 * medians[1]:.0f} ms | {gains} |"


def main() -> None:
    """Measure all scenarios and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lanes", default=",".join(map(str, LANES)))
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    lanes = [int(num) for num in options.lanes.split(",")]
    print(f"| trials | epoch alone | {' | '.join(f'{num} lanes' for num in lanes)} |")
    print("|---|---|" + "---|" * len(lanes))
    for scenario in options.scenarios:
        print(row(scenario, lanes), flush=True)


if __name__ == "__main__":
    main()
