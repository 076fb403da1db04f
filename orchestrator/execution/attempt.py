"""One attempt at one trial, inside the process that trains: pulls the trainable's generator and keeps checkpoints.

Used by every runner. Whatever a user's code raises comes back as data; nothing of it can end the worker.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from pydantic import BaseModel, ValidationError

from orchestrator.execution.assignment import Assignment, Done, Measured, Outcome, Raised
from orchestrator.execution.checkpoint_names import steps_in
from orchestrator.execution.checkpoints import CheckpointFolder
from orchestrator.execution.devices import limit_gpu_memory, limit_threads, peak_gpu_bytes
from orchestrator.execution.machine import peak_host_bytes
from orchestrator.execution.reads import Reads
from orchestrator.execution.repeats import repeat
from orchestrator.execution.yielded import checked
from trainables.checkpoint import CheckpointError, read_checkpoint
from trainables.contract import Measurement, Purpose, State, Train, TrialContext
from trainables.data.errors import DataError
from trainables.registry import load_info, load_train

_RETURNED = object()
_NO_MEMORY = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


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
        self._folder = CheckpointFolder(assignment.checkpoints, best=assignment.best_step, attempt=assignment.attempt)
        self._measurements: Iterator[Measurement] | None = None
        self._state: Callable[[], State] | None = None
        self._step = -1
        self._best = assignment.best_value
        self._written_s = time.monotonic()
        self._reads: Reads | None = None
        self._notes: dict[str, bool] = {}

    def advance(self) -> Outcome:
        """Train up to the next measurement."""
        started_s = time.perf_counter()
        try:
            if self._measurements is None:
                self._measurements = self._start()
                started_s = time.perf_counter()
            yielded = _RETURNED if self._is_over else next(self._measurements, _RETURNED)
        # A trainable may call sys.exit(); that ends the trial, not the worker.
        except (Exception, SystemExit) as error:
            return self.fail(error, time.perf_counter() - started_s)
        train_s = time.perf_counter() - started_s
        return self.finish(train_s) if yielded is _RETURNED else self.take(yielded, train_s)

    def take(self, yielded: object, train_s: float) -> Outcome:
        """What the trainable has yielded after so many seconds, checked and kept; an exception ends the attempt."""
        if isinstance(yielded, Exception):
            return self.fail(yielded, train_s)
        try:
            measured = self._checked(yielded, train_s)
            self._keep(measured)
        except Exception as error:
            return self.fail(error, train_s)
        return replace(measured, notes=self._told())

    def finish(self, train_s: float) -> Outcome:
        """The trainable has returned, so many seconds after its last measurement."""
        try:
            self._write(self._folder.flush)
        except Exception as error:
            return self.fail(error, train_s)
        return Done(self._unread(), train_s, self._told())

    def fail(self, error: BaseException, train_s: float) -> Raised:
        """The trainable has raised."""
        # Faulty data is told in one line that names the file and the place; where the code noticed it helps nobody.
        text = "" if isinstance(error, DataError | CheckpointError) else _user_traceback(error)
        return Raised(_one_line(error), text, train_s, out_of_memory=is_out_of_memory(error))

    def save(self) -> None:
        """Checkpoint the step that was measured last, if the trainable offered its state and it can be written."""
        if self._state is None or self._step < 0:
            return
        try:
            self._folder.write(self._step, self._state())
        except OSError as error:
            print(self._unwritten(error), file=sys.stderr)
        except Exception:
            # The trial then goes on from an older checkpoint, or from its beginning.
            traceback.print_exc()

    def close(self) -> None:
        """Write the best checkpoint and end the generator; what that raises does not matter any more."""
        measurements, self._measurements, self._state = self._measurements, None, None
        try:
            self._folder.flush()
        except OSError as error:
            print(self._unwritten(error), file=sys.stderr)
        except Exception:
            traceback.print_exc()
        if measurements is None or not hasattr(measurements, "close"):
            return
        try:
            measurements.close()
        except (Exception, SystemExit):
            traceback.print_exc()

    def begin(self, *, watch: bool = True) -> tuple[BaseModel, TrialContext]:
        """Prepare to train: the config, and the context with the state to go on from.

        Args: watch: take note of which keys are read.
        """
        assignment = self._assignment
        config_type, _ = prepare(assignment.trainable, assignment.directory)
        limit_threads(assignment.threads)
        limit_gpu_memory(assignment.gpu_fraction)
        config = config_type.model_validate(assignment.config)
        if assignment.purpose is not Purpose.TEST:
            self._write(self._folder.claim)
        resume = self._resume()
        self.note(*self._folder.damaged)
        if not self._folder.has_best:
            # It was held in memory by a process that died; its step is measured again and is the best again.
            self._best = None
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
        context = TrialContext(
            seed=assignment.seeds[0], device=device, resume=resume, save=self._offer, purpose=assignment.purpose
        )
        # A resumed attempt may rightly skip what only the beginning needs.
        self._reads = Reads(config) if watch and resume is None else None
        return self._reads.config if self._reads else config, context

    def note(self, *texts: str) -> None:
        """Say something with the next outcome, once."""
        for text in texts:
            self._notes.setdefault(text, False)

    def _start(self) -> Iterator[Measurement]:
        config, context = self.begin()
        train = load_train(self._assignment.trainable)
        if len(self._assignment.seeds) == 1:
            return train(config, context)
        return repeat(train, config, context, seeds=self._assignment.seeds, metrics=self._assignment.by_seed)

    def _resume(self) -> State | None:
        """What to go on from: for a test exactly the step that was asked for, and otherwise the newest sound one."""
        assignment = self._assignment
        if assignment.purpose is Purpose.TEST:
            if assignment.last_step is None:
                raise ValueError("a test needs the step whose checkpoint it measures")
            return self._folder.read(assignment.last_step)
        resume = self._folder.read_newest(not_after=-1 if assignment.last_step is None else assignment.last_step)
        return read_checkpoint(assignment.start) if resume is None and assignment.start is not None else resume

    @property
    def _is_over(self) -> bool:
        """Whether the step is done, and kept, after which another trial goes on."""
        until = self._assignment.until
        kept = self._assignment.last_step == until and until in steps_in(self._folder.folder)
        return until is not None and (kept or self._step == until)

    def _unread(self) -> tuple[str, ...]:
        return self._reads.unread(self._assignment.config) if self._reads else ()

    def _offer(self, state: Callable[[], State]) -> None:
        # A test leaves nothing on disk.
        if self._assignment.purpose is not Purpose.TEST:
            self._state = state

    def _checked(self, yielded: object, train_s: float) -> Measured:
        measurement = checked(yielded, after=self._step)
        self._step = measurement.step
        memory = peak_host_bytes(), peak_gpu_bytes()
        return Measured(measurement.step, measurement.metrics, train_s, *memory, measurement.resamples)

    def _keep(self, measurement: Measured) -> None:
        """Hold the state if it is the best so far, and write it down when a checkpoint is due."""
        if self._state is None:
            return
        value = measurement.metrics.get(self._assignment.objective.metric)
        improved = measurement.step > 0 and value is not None and _improves(self._assignment, value, self._best)
        due = time.monotonic() - self._written_s >= self._assignment.checkpoint_interval_s
        # Another trial goes on from there.
        due = due or measurement.step == self._assignment.until
        if improved:
            self._best = value
            self._folder.hold_best(measurement.step, self._state())
        if due:
            state = self._state()
            self._write(lambda: self._folder.write(measurement.step, state))
            self._written_s = time.monotonic()

    def _write(self, write: Callable[[], None]) -> None:
        """Write checkpoints; training goes on where the disk does not take them, and the next one is tried when due.

        Raises: OSError: another trial would go on from there.
        """
        try:
            write()
        except OSError as error:
            if self._step == self._assignment.until:
                raise
            self.note(self._unwritten(error))

    def _unwritten(self, error: OSError) -> str:
        newest = self._folder.newest
        back = "its beginning" if newest is None else f"step {newest}"
        why = f"{error.strerror}: {self._folder.folder}"
        return f"checkpoints cannot be written, a new attempt would go on from {back}: {why}"

    def _told(self) -> tuple[str, ...]:
        """What this attempt has to say and has not said yet."""
        fresh = tuple(text for text, is_told in self._notes.items() if not is_told)
        self._notes = dict.fromkeys(self._notes, True)
        return fresh


def _improves(assignment: Assignment, value: float, best: float | None) -> bool:
    return value == value and (best is None or assignment.objective.better(value, best))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the machine or its GPU had no memory left; torch says so of the CPU in words alone."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _one_line(error: BaseException) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"the config is not valid: {where}: {first['msg']}"
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _user_traceback(error: BaseException) -> str:
    """The traceback without Orch's own frames, unless there are no others."""
    own = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    shown = [frame for frame in frames if not frame.filename.startswith(own)] or list(frames)
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(shown)]
    return "".join([*lines, *traceback.format_exception_only(error)])
