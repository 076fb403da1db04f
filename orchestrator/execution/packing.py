"""How many trials `resources.gpu: auto` puts on one GPU: as many as a short probe says that memory and time hold.

The probe trains the first configuration alone on a whole GPU, before anything is stored; it is no trial. Called by the
Ray runner, and `probe` in a worker (docs/decisions/0010).
"""

import math
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.execution.assigning import assign
from orchestrator.execution.assignment import Assignment, Measured, Outcome, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.environment import scrub
from orchestrator.execution.machine import CONTEXT_BYTES, gpu_busy_fraction, gpu_memory_bytes, peak_gpu_bytes
from orchestrator.execution.runner import Capacity
from orchestrator.spec.model import SweepSpec
from orchestrator.study.preview import first_configurations
from orchestrator.trial import JsonValue, Suggestion

PROBE_S = 30.0
EPOCHS = 2
"""The probe ends after these, or after its time in the middle of one."""
LOOK_S = 0.1
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


def probe(assignment: Assignment) -> Probed:
    """Train for a short time; the process must end afterwards, for training may go on in its thread."""
    scrub(assignment.environment)
    outcomes: list[Outcome] = []
    busy: list[float] = []
    ends_s = time.monotonic() + PROBE_S
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        attempt = Attempt(replace(assignment, checkpoints=Path(folder)))
        training = threading.Thread(target=_train, args=(attempt, outcomes), daemon=True)
        training.start()
        while training.is_alive() and time.monotonic() < ends_s:
            training.join(LOOK_S)
            # Until the untrained model is measured, data are read and the GPU waits.
            if outcomes and (fraction := gpu_busy_fraction()) is not None:
                busy.append(fraction)
        return Probed(
            peak_gpu_bytes(), gpu_memory_bytes(), statistics.fmean(busy) if busy else None, failure=_failure(outcomes)
        )


def _train(attempt: Attempt, outcomes: list[Outcome]) -> None:
    while len(outcomes) <= EPOCHS and not (outcomes and not isinstance(outcomes[-1], Measured)):
        outcomes.append(attempt.advance())
    attempt.close()


def _failure(outcomes: list[Outcome]) -> str:
    if not outcomes:
        return f"it measured nothing in {PROBE_S:g} s"
    if isinstance(outcomes[-1], Raised):
        return outcomes[-1].message
    return "" if gpu_memory_bytes() else "torch sees no GPU"


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
