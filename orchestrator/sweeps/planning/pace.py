"""`Pace`: how fast the trials of a sweep train, what they hold in memory, and the time between them.

Made from the records of a probe or of an earlier sweep. Called by the planning of a sweep; knows no runner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from orchestrator.trial import Cause, JsonValue, Measurement, TrialRecord


@dataclass(frozen=True, slots=True)
class TrialPace:
    """Seconds before the first epoch (the untrained model's measurement included), and seconds an epoch."""

    start_s: float
    epoch_s: float


@dataclass(frozen=True, slots=True)
class Between:
    """Seconds that are not training.

    Attributes:
        warm_s: before the first trial of a worker: its process starts and imports.
        turn_s: on a worker between a trial's last measurement and the start of the next one.
        step_s: an epoch, after measurements until the trial goes on.
    """

    warm_s: float
    turn_s: float
    step_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What was measured.

    Attributes:
        trials: one for each trial that trained at least one epoch.
        corners: the paces of the configurations that should be the cheapest and the dearest, cheaper one first; None
            where no parameter of the space changes the cost.
        longest: epochs of the longest trial that ran to its end; None when none did.
        startup_s: seconds until the runner was ready; None when it was not measured.
        host_bytes, gpu_bytes: the most that a worker held; 0 where that is not known.
        checkpoint_bytes: of one checkpoint; None where none was written.
        at_once: how many trials trained side by side.
        source: where all this is known from, in words.
    """

    trials: tuple[TrialPace, ...]
    between: Between
    at_once: int
    source: str
    corners: tuple[TrialPace, TrialPace] | None = None
    longest: int | None = None
    startup_s: float | None = None
    host_bytes: int = 0
    gpu_bytes: int = 0
    checkpoint_bytes: int | None = None

    @property
    def start_s(self) -> float:
        """Of the median trial."""
        return median(trial.start_s for trial in self.trials)

    @property
    def epoch_s(self) -> float:
        """Of the median trial."""
        return median(trial.epoch_s for trial in self.trials)

    def to_json(self) -> dict[str, JsonValue]:
        """Plain values."""
        return {
            "start_s": self.start_s,
            "epoch_s": self.epoch_s,
            "trials": len(self.trials),
            "at_once": self.at_once,
            "warm_s": self.between.warm_s,
            "turn_s": self.between.turn_s,
            "step_s": self.between.step_s,
            "startup_s": self.startup_s,
            "host_bytes": self.host_bytes,
            "gpu_bytes": self.gpu_bytes,
            "checkpoint_bytes": self.checkpoint_bytes,
            "source": self.source,
        }


def trial_pace(measurements: Sequence[Measurement]) -> TrialPace | None:
    """The pace of one trial; None before its first epoch.

    What the first epoch takes longer than the others (compilers, caches) counts as its start.
    """
    start_s = measurements[0].train_s if measurements and measurements[0].step == 0 else 0.0
    steps = [0, *(m.step for m in measurements if m.step > 0)]
    epochs = [m for m in measurements if m.step > 0]
    if not epochs:
        return None
    each_s = [m.train_s / (m.step - before) for m, before in zip(epochs, steps, strict=False)]
    if len(each_s) == 1:
        return TrialPace(start_s, each_s[0])
    epoch_s = fmean(each_s[1:])
    return TrialPace(start_s + max(0.0, each_s[0] - epoch_s), epoch_s)


def time_between(trials: Sequence[TrialRecord], *, concurrency: int) -> Between:
    """What goes by between trainings, from the times at which measurements came in; medians, since sweeps pause."""
    started = sorted((trial for trial in trials if trial.measurements), key=_began_ms)
    freed_ms = sorted(trial.measurements[-1].at_ms for trial in trials if trial.measurements)
    first, later = started[:concurrency], started[concurrency:]
    # The k-th trial takes the place of the one that was the k-th to end.
    turns = [_began_ms(trial) - freed for trial, freed in zip(later, freed_ms, strict=False)]
    warm = [_began_ms(trial) - trial.started_ms for trial in first if trial.started_ms is not None]
    steps = [
        (after.at_ms - before.at_ms - 1000 * after.train_s) / (after.step - before.step)
        for trial in trials
        for before, after in zip(trial.measurements, trial.measurements[1:], strict=False)
    ]
    return Between(*(max(0.0, median(found)) / 1000 if found else 0.0 for found in (warm, turns, steps)))


def _began_ms(trial: TrialRecord) -> float:
    return trial.measurements[0].at_ms - 1000 * trial.measurements[0].train_s


def longest(trials: Sequence[TrialRecord]) -> int | None:
    """Epochs of the longest trial that ended by itself."""
    ended = [trial.epochs for trial in trials if trial.ending and trial.ending.cause is Cause.FINISHED]
    return max(ended, default=None)
