"""How many trials `resources.gpu: auto` puts on one GPU: as many as a short probe says that memory and time hold.

The probe trains the first configuration alone on a whole GPU, before anything is stored; it is no trial. Called by the
Ray runner (docs/decisions/0010).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.execution.assigning import assign
from orchestrator.execution.assignment import Assignment
from orchestrator.execution.machine import CONTEXT_BYTES
from orchestrator.execution.runner import Capacity
from orchestrator.spec.model import SweepSpec
from orchestrator.study.preview import first_configurations
from orchestrator.trial import JsonValue, Suggestion

PROBE_S = 30.0
MOST = 8
"""Trials on a GPU; each process takes a context of its own, and their kernels take turns."""
HEADROOM = 1.25
"""Times the memory of the probe: other configurations may take more, and so may later epochs."""
_UNITS = 10_000
"""Ray counts fractions in these; six times a rounded sixth would be more than one."""
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Probed:
    """What a trial took of a GPU that it had to itself.

    Attributes:
        gpu_bytes: the most that its tensors held.
        total_bytes: of the GPU.
        busy_fraction: of the time in which it trained, when the GPU computed; None where that cannot be told.
        failure: why it tells nothing; empty when it does.
    """

    gpu_bytes: int = 0
    total_bytes: int = 0
    busy_fraction: float | None = None
    failure: str = ""


def most_on_a_gpu(spec: SweepSpec, capacity: Capacity) -> int:
    """How many trials may share a GPU by CPUs and by the sweep file; 1 where there is nothing to find out."""
    if spec.resources.gpu != "auto" or not capacity.gpus or spec.execution.fuse != "off":
        return 1
    at_once = min(capacity.cpus / spec.resources.cpu, spec.resources.max_concurrent or math.inf, spec.budget.trials)
    return min(MOST, math.ceil(at_once / capacity.gpus))


def first_assignment(spec: SweepSpec, fixed: Mapping[str, JsonValue], directory: Path) -> Assignment:
    """The first configuration that the sweep will try, as the probe is sent it."""
    params = first_configurations(spec, fixed, count=1)[0]
    suggestion = Suggestion(0, params, seeds=tuple(range(spec.repeats)))
    return assign(suggestion, spec, checkpoints=Path(), directory=directory)


def trials_on_a_gpu(probed: Probed, *, most: int) -> int:
    """As many as have the memory and would not wait for each other; without a finding one."""
    if probed.failure:
        return 1
    by_memory = int(probed.total_bytes / (HEADROOM * probed.gpu_bytes + CONTEXT_BYTES))
    by_time = int(1 / probed.busy_fraction) if probed.busy_fraction else most
    return max(1, min(most, by_memory, by_time))


def share(num: int) -> float:
    """The fraction of a GPU of which so many are no more than one."""
    return math.floor(_UNITS / num) / _UNITS


def describe(probed: Probed, num: int) -> str:
    """What was found, in words."""
    does = "trains one trial on a GPU" if num == 1 else f"packs {num} trials on a GPU"
    if probed.failure:
        return f"{does}: the probe failed: {probed.failure}"
    busy = probed.busy_fraction
    told = "how busy it was is not known" if busy is None else f"it was busy {busy:.0%} of the time"
    return f"{does}: one took {probed.gpu_bytes / _GIB:.2g} of its {probed.total_bytes / _GIB:.3g} GiB, {told}"
