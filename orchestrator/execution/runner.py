"""What a runner is, and what a trial needs of it. `LocalRunner` runs in this process, `RayRunner` on a cluster."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.errors import UsageError
from orchestrator.execution.control import SweepControl
from orchestrator.spec.model import Resources, SweepSpec
from orchestrator.trial import JsonValue


@dataclass(frozen=True, slots=True)
class Need:
    """What one trial takes; `gpu` after `auto` was settled."""

    cpu: float
    gpu: float

    def times_on(self, node: Mapping[str, float]) -> int:
        """How many trials fit at once on a node with these amounts of `CPU` and `GPU`."""
        # A little slack, because 0.3 GPU three times is 0.9 only in decimal.
        by_cpu = math.floor(node.get("CPU", 0.0) / self.cpu + 1e-9)
        by_gpu = math.floor(node.get("GPU", 0.0) / self.gpu + 1e-9) if self.gpu else by_cpu
        return min(by_cpu, by_gpu)


def needed(resources: Resources, *, gpus: float) -> Need:
    """What a trial takes where there are `gpus` GPUs in all."""
    gpu = (1.0 if gpus else 0.0) if resources.gpu == "auto" else resources.gpu
    return Need(resources.cpu, gpu)


def does_not_fit(need: Need, where: str, found: str) -> UsageError:
    """The fault of a trial that no node can ever run."""
    message = f"a trial needs {need.cpu:g} CPU and {need.gpu:g} GPU on one node; {where} has {found}"
    return UsageError(f"{message}; lower resources.cpu or resources.gpu, or join a larger cluster with --address")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a runner has for a sweep.

    Attributes:
        where: in words, such as `Ray at 10.0.0.1:6379` or `this process`.
        max_concurrent: how many trials run at once.
        gpu: GPUs per trial, after `auto` was settled.
        fit: how many would fit at once, whatever the sweep file allows.
        packing: what a probe found that put several trials, or one, on a GPU; empty without one.
    """

    where: str
    cpus: float
    gpus: float
    max_concurrent: int
    gpu: float
    fit: int
    packing: str = ""

    def devices(self, resources: Resources) -> float:
        """What a budget of GPU-hours counts for a trial: its GPUs, or where it has none its CPU cores."""
        return self.gpu or resources.cpu


class Runner(Protocol):
    """Runs the trials of one sweep."""

    def connect(self, spec: SweepSpec, directory: Path, fixed: Mapping[str, JsonValue]) -> Capacity:
        """Reach the machines and begin to warm them up; called before anything is created.

        Args: fixed: flattened values of the trainable's Config that the search does not touch.

        Raises:
            UsageError: the cluster can never run a trial of this sweep.
            InfrastructureError: it cannot be reached.
        """

    def run(self, control: SweepControl) -> None:
        """Run trials until the control has no more, or has halted."""

    def close(self) -> None:
        """Let go of what `connect` took."""
