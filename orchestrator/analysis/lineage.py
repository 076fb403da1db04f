"""The training that a stretch of a population belongs to: the trials that it went through, and so its schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.trial import TrialRecord, Value


@dataclass(frozen=True, slots=True)
class Stretch:
    """Epochs `first` to `last` of a training, by one trial, with its parameters."""

    trial: int
    first: int
    last: int
    params: Mapping[str, Value]


def lineage(trials: Sequence[TrialRecord], number: int) -> tuple[Stretch, ...]:
    """From the untrained model to the end of a trial; empty for a trial that is no stretch of a training."""
    by_number = {trial.number: trial for trial in trials}
    trial: TrialRecord | None = by_number[number]
    path: list[TrialRecord] = []
    while trial is not None and trial.segment is not None:
        path.insert(0, trial)
        trial = None if trial.segment.parent is None else by_number[trial.segment.parent]
    ends = [0, *(stretch.epochs for stretch in path)]
    return tuple(
        Stretch(stretch.number, first + 1, stretch.epochs, stretch.params)
        for first, stretch in zip(ends, path, strict=False)
    )
