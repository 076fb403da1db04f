"""The one read of the test split: each finalist's best checkpoint of each seed is measured there, in this process.

The read is on record before it begins, and each figure is stored as soon as it is known: nothing is said before all
of them are. An interrupted read goes on with what is left; it stays on record as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.execution.assignment import Assignment, Measured, Raised
from orchestrator.execution.attempt import Attempt
from orchestrator.execution.checkpoint_names import trial_folder
from orchestrator.execution.clock import Clock
from orchestrator.spec import SweepSpec, resolve
from orchestrator.study import Confirming
from orchestrator.study.confirmations import ConfirmationLog, Examined, SplitRead
from orchestrator.sweeps.confirming.proposing import confirmed_value, label_of
from orchestrator.trial import TrialRecord
from trainables.contract import Purpose


@dataclass(frozen=True, slots=True)
class Examination:
    """What a read of the test split needs.

    Attributes:
        labels: of the candidates whose trainings are examined.
        checkpoints: of the confirmation.
        directory: where a user's own modules and relative paths are found.
    """

    confirming: Confirming
    spec: SweepSpec
    labels: Sequence[str]
    checkpoints: Path
    directory: Path


def on_test(metric: str) -> str:
    """`val/recall_at_1` is `test/recall_at_1` on the test split."""
    return f"test/{metric.removeprefix('val/')}"


def examine(
    examination: Examination, trials: Sequence[TrialRecord], log: ConfirmationLog, *, read: SplitRead, clock: Clock
) -> None:
    """Measure what is left to be measured on test."""
    known = log.examined()
    left = [trial for trial in _trained(examination, trials) if trial.number not in known]
    if not left:
        return
    log.begin_read(read)
    for trial in left:
        outcome = _measure(examination, trial)
        if isinstance(outcome, Raised):
            log.note_failed(trial.number, outcome.message)
        else:
            log.note_examined(trial.number, _examined(outcome, examination.spec, at_ms=clock.now_ms()))
    log.end_read(at_ms=clock.now_ms())


def _trained(examination: Examination, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trainings of the finalists that have a value."""
    found = []
    for trial in trials:
        value = confirmed_value(trial)
        if value is not None and value == value and label_of(examination.confirming, trial) in examination.labels:
            found.append(trial)
    return found


def _measure(examination: Examination, trial: TrialRecord) -> Measured | Raised:
    attempt = Attempt(
        Assignment(
            number=trial.number,
            attempt=1,
            trainable=examination.spec.trainable,
            config=resolve(examination.spec, trial.params),
            objective=examination.spec.objective,
            seeds=trial.seeds,
            checkpoints=trial_folder(examination.checkpoints, trial.number),
            last_step=trial.best_step,
            directory=examination.directory,
            threads=max(1, int(examination.spec.resources.cpu)),
            purpose=Purpose.TEST,
        )
    )
    outcome = attempt.advance()
    attempt.close()
    return outcome if isinstance(outcome, Measured | Raised) else Raised("it yielded nothing", "")


def _examined(measured: Measured, spec: SweepSpec, *, at_ms: int) -> Examined:
    resamples = measured.resamples.get(on_test(spec.objective.metric), ())
    return Examined(measured.step, measured.metrics, tuple(resamples), at_ms=at_ms)
