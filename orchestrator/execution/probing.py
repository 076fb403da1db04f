"""The probe of `packing`: a short training on a whole GPU. Imported in the worker that runs it."""

import statistics
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from orchestrator.execution.assignment import Assignment, Measured, Outcome, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.devices import gpu_busy_fraction, gpu_memory_bytes, peak_gpu_bytes
from orchestrator.execution.environment import scrub
from orchestrator.execution.packing import PROBE_S, Probed

EPOCHS = 2
"""The probe ends after these, or after its time in the middle of one."""
LOOK_S = 0.1


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
