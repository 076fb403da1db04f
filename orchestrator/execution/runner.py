"""What a runner is. `LocalRunner` runs in this process, `RayRunner` on a cluster."""

from dataclasses import dataclass
from typing import Protocol

from orchestrator.execution.control import SweepControl
from orchestrator.spec.model import SweepSpec


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a runner has for a sweep.

    Attributes:
        where: in words, such as `Ray at 10.0.0.1:6379` or `this process`.
        max_concurrent: how many trials run at once.
        gpu: GPUs per trial, after `auto` was settled.
    """

    where: str
    cpus: float
    gpus: float
    max_concurrent: int
    gpu: float


class Runner(Protocol):
    """Runs the trials of one sweep."""

    def connect(self, spec: SweepSpec, import_paths: tuple[str, ...]) -> Capacity:
        """Reach the machines and begin to warm them up; called before anything is created.

        Raises:
            UsageError: the cluster can never run a trial of this sweep.
            InfrastructureError: it cannot be reached.
        """

    def run(self, control: SweepControl) -> None:
        """Run trials until the control has no more, or has halted."""

    def close(self) -> None:
        """Let go of what `connect` took."""
