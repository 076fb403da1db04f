"""Trials side by side: which parameters differ and which do not. Pure functions over trial records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.trial import TrialRecord, TrialState, Value


@dataclass(frozen=True, slots=True)
class Column:
    """One trial in a comparison; `label` is `sweep/number`."""

    label: str
    state: TrialState
    value: float | None
    best_step: int | None
    epochs: int
    train_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Trials as columns, parameters as rows.

    Attributes:
        differing: parameter to one value per column, None where it is inactive; the one with most values first.
        constant: parameters that have one value in all columns.
    """

    columns: Sequence[Column]
    differing: Mapping[str, Sequence[Value | None]]
    constant: Mapping[str, Value]


def compare(sweeps: Mapping[str, Sequence[TrialRecord]]) -> Comparison:
    """Compare trials of one or several sweeps, in the order given; the keys are the sweeps' names."""
    labelled = [(f"{name}/{record.number}", record) for name, records in sweeps.items() for record in records]
    params = [record.params for _, record in labelled]
    differing, constant = split_params(params)
    return Comparison(
        columns=[_column(label, record) for label, record in labelled],
        differing={name: [p.get(name) for p in params] for name in differing},
        constant=constant,
    )


def split_params(params: Sequence[Mapping[str, Value]]) -> tuple[list[str], dict[str, Value]]:
    """Names that differ, the one with most different values first, and the constant ones with their value."""
    names = dict.fromkeys(name for some in params for name in some)  # a dict keeps the order of appearance
    # repr, because True == 1 == 1.0
    variety = {name: len({repr(some.get(name)) for some in params}) for name in names}
    differing = sorted((name for name in names if variety[name] > 1), key=lambda name: -variety[name])
    constant = {name: params[0][name] for name in names if variety[name] == 1}
    return differing, constant


def _column(label: str, record: TrialRecord) -> Column:
    return Column(label, record.state, record.value, record.best_step, record.epochs, record.train_s)
