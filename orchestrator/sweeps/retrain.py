"""`orch retrain`: a configuration trained on train and val together, for as long as it was best for, and exported.

It trains in this process. What it has done is kept in the sweep's folder until the export is written, so that the same
command goes on where it was interrupted. Neither val nor test is measured.
"""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from orchestrator.errors import OrchError, UsageError
from orchestrator.execution.assignment import Assignment, Done, Measured, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.checkpoint_names import step_folder, steps_in
from orchestrator.spec import resolve
from orchestrator.sweeps.choosing import Choice, choose
from orchestrator.sweeps.export import Destination, ExportReport, Weights, check_free, write_export
from orchestrator.sweeps.paths import Home
from trainables.checkpoint import read_checkpoint
from trainables.contract import Purpose
from trainables.registry import load_info

CHECKPOINT_INTERVAL_S = 30.0

Watch = Callable[[int, int], None]
"""Called after each epoch with its number and how many there will be."""


class RetrainError(OrchError):
    """The training failed."""


def retrain(home: Home, reference: str, which: str, to: Destination, *, seed: int | None, watch: Watch) -> ExportReport:
    """Train the configuration of a training on train and val for the epochs at which it was best, and export it.

    Args:
        seed: None for that of the training.

    Raises:
        SweepNotFoundError, RetrainError
        UsageError: as for `export`, or the trainable does not know how to retrain.
    """
    check_free(to.folder)
    choice = choose(home, reference, which)
    _check_can_retrain(choice)
    epochs = choice.trial.best_step
    assert epochs is not None, "a choice has a value"
    seed = choice.trial.seeds[0] if seed is None else seed
    folder = _folder(home, choice, seed)
    _train(_assignment(choice, to.directory, folder, seed=seed, epochs=epochs), epochs, watch)
    weights = Weights(read_checkpoint(step_folder(folder, epochs)), epochs, seed, Purpose.RETRAIN)
    report = write_export(home, choice, weights, to)
    shutil.rmtree(folder, ignore_errors=True)
    return report


def _check_can_retrain(choice: Choice) -> None:
    if choice.trial.segment is not None:
        raise UsageError(
            f"{choice.name} is a stretch of a training whose parameters changed on the way: one configuration cannot "
            "repeat it; export it, or put the schedule that it found into a sweep file"
        )
    trainable = choice.source.spec.trainable
    if Purpose.RETRAIN not in load_info(trainable).purposes:
        raise UsageError(
            f"{trainable} does not say that it can learn from train and val together; let it look at context.purpose "
            "and put PURPOSES = (Purpose.SEARCH, Purpose.RETRAIN) into its module"
        )


def _folder(home: Home, choice: Choice, seed: int) -> Path:
    return home.sweep(choice.source.id).folder / "retrained" / f"trial-{choice.trial.number:04d}-seed-{seed}"


def _assignment(choice: Choice, directory: Path, folder: Path, *, seed: int, epochs: int) -> Assignment:
    spec, done = choice.source.spec, steps_in(folder)
    return Assignment(
        number=choice.trial.number,
        attempt=1,
        trainable=spec.trainable,
        config=resolve(spec, choice.trial.params),
        objective=spec.objective,
        seeds=(seed,),
        checkpoints=folder,
        last_step=done[-1] if done else None,
        checkpoint_interval_s=CHECKPOINT_INTERVAL_S,
        until=epochs,
        purpose=Purpose.RETRAIN,
        directory=directory,
        threads=max(1, int(spec.resources.cpu)),
    )


def _train(assignment: Assignment, epochs: int, watch: Watch) -> None:
    with closing(Attempt(assignment)) as attempt:
        while True:
            match attempt.advance():
                case Measured(step=step):
                    watch(step, epochs)
                case Raised(message=message, traceback=traceback):
                    raise RetrainError(f"training on train and val failed: {message}\n{traceback}".rstrip())
                case Done():
                    break
    if epochs not in steps_in(assignment.checkpoints):
        raise RetrainError(
            f"{assignment.trainable} ended before epoch {epochs}, or offered no state there: there is nothing to export"
        )
