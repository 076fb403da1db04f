"""One attempt at one trial, inside the process that trains: pulls the trainable's generator and keeps checkpoints.

Used by every runner. Whatever a user's code raises comes back as data; nothing of it can end the worker.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import torch
from pydantic import BaseModel, ValidationError

from orchestrator.execution.assignment import Assignment, Done, Measured, Outcome, Raised
from orchestrator.execution.checkpoints import CheckpointFolder
from trainables.contract import Measurement, State, Train, TrialContext
from trainables.registry import load_info, load_train


def prepare(trainable: str, directory: Path) -> tuple[type[BaseModel], Train]:
    """Go to the folder where the sweep was started and import a trainable; the second time costs nothing."""
    if directory.is_dir():
        os.chdir(directory)
        if str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    train = load_train(trainable)
    return load_info(trainable).config_type, train


class Attempt:
    """A running trainable. `advance` until it is `Done` or `Raised`, or `close` it earlier."""

    def __init__(self, assignment: Assignment) -> None:
        """Keep the assignment; nothing is imported and nothing runs before the first `advance`."""
        self._assignment = assignment
        self._folder = CheckpointFolder(assignment.checkpoints, best=assignment.best_step)
        self._measurements: Iterator[Measurement] | None = None
        self._state: Callable[[], State] | None = None
        self._step = -1
        self._best = assignment.best_value
        self._written_s = time.monotonic()

    def advance(self) -> Outcome:
        """Train up to the next measurement."""
        started_s = time.perf_counter()
        try:
            if self._measurements is None:
                self._measurements = self._start()
                started_s = time.perf_counter()
            measurement = next(self._measurements)
            train_s = time.perf_counter() - started_s
            self._check(measurement)
            self._keep(measurement)
        except StopIteration:
            self._folder.flush()
            return Done()
        except Exception as error:
            return Raised(_one_line(error), _user_traceback(error))
        return Measured(measurement.step, dict(measurement.metrics), train_s)

    def save(self) -> None:
        """Checkpoint the step that was measured last, if the trainable offered its state."""
        if self._state is not None and self._step >= 0:
            self._folder.write(self._step, self._state())

    def close(self) -> None:
        """Write the best checkpoint and end the generator; what that raises does not matter any more."""
        measurements, self._measurements, self._state = self._measurements, None, None
        try:
            self._folder.flush()
        except Exception:
            traceback.print_exc()
        if measurements is None or not hasattr(measurements, "close"):
            return
        try:
            measurements.close()
        except Exception:
            traceback.print_exc()

    def _start(self) -> Iterator[Measurement]:
        assignment = self._assignment
        config_type, train = prepare(assignment.trainable, assignment.directory)
        torch.set_num_threads(assignment.threads)
        config = config_type.model_validate(assignment.config)
        resume = None
        if assignment.last_step is not None:
            resume = self._folder.read_newest(not_after=assignment.last_step)
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
        context = TrialContext(seed=assignment.seed, device=device, resume=resume, save=self._offer)
        return train(config, context)

    def _offer(self, state: Callable[[], State]) -> None:
        self._state = state

    def _check(self, measurement: Measurement) -> None:
        # A user's trainable is not type-checked; what it yields is.
        if not isinstance(cast(object, measurement), Measurement):
            raise TypeError(
                f"the trainable yielded {type(measurement).__name__}, not a trainables.contract.Measurement"
            )
        if measurement.step <= self._step:
            raise ValueError(f"step {measurement.step} was yielded after step {self._step}; steps must increase")
        self._step = measurement.step

    def _keep(self, measurement: Measurement) -> None:
        """Hold the state if it is the best so far, and write it down when a checkpoint is due."""
        if self._state is None:
            return
        value = measurement.metrics.get(self._assignment.objective.metric)
        improved = measurement.step > 0 and value is not None and _improves(self._assignment, value, self._best)
        due = time.monotonic() - self._written_s >= self._assignment.checkpoint_interval_s
        if improved:
            self._best = value
            self._folder.hold_best(measurement.step, self._state())
        if due:
            self._folder.write(measurement.step, self._state())
            self._written_s = time.monotonic()


def _improves(assignment: Assignment, value: float, best: float | None) -> bool:
    return value == value and (best is None or assignment.objective.better(value, best))


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"the config is not valid: {where}: {first['msg']}"
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _user_traceback(error: Exception) -> str:
    """The traceback without Orch's own frames, unless there are no others."""
    own = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    shown = [frame for frame in frames if not frame.filename.startswith(own)] or list(frames)
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(shown)]
    return "".join([*lines, *traceback.format_exception_only(error)])
