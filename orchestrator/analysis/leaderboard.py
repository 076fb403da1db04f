"""Ranking and counting trials: pure functions over trial records.

Called by `sweeps`; knows no files and no terminal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from statistics import fmean

from orchestrator.analysis.pareto import front
from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import Bucket, Cause, TrialRecord, TrialState, Value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a leaderboard.

    Attributes:
        rank: of the configuration; None for a trial without a value or without a right to a rank.
        mean: of the values of all trials of the configuration, by which it is ranked; None without a rank.
        num_trials: how many these are; more than one where it was tried with several seeds.
        further: further objectives' metrics to their values at `best_step`.
        violated: the metrics that are below their floor there, with how far below.
        on_front: whether no other trial beats it in every objective; None with one objective.
    """

    rank: int | None
    number: int
    state: TrialState
    reason: str
    value: float | None
    best_step: int | None
    epochs: int
    train_s: float
    params: Mapping[str, Value]
    run_id: str | None
    mean: float | None = None
    num_trials: int = 1
    further: Mapping[str, float] = field(default_factory=dict)
    violated: Mapping[str, float] = field(default_factory=dict)
    on_front: bool | None = None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures with the same reason; `example` is the first of them."""

    reason: str
    numbers: Sequence[int]
    example: TrialRecord


def leaderboard(
    records: Sequence[TrialRecord], objective: Objective, *, further: Sequence[Objective] = ()
) -> list[Row]:
    """Best first; then the trials that can not be best, also best first; then those without a value, by number.

    Trials of one configuration with other seeds stand together and have one rank, that of their mean. The first
    objective ranks; `further` ones are shown, with who is on the front of all.
    """
    on_front = {record.number for record in front(current(records), [objective, *further])}
    seeds = _by_configuration(current(records))
    rows: list[Row] = []
    ranks: dict[int, int] = {}
    for record in ranked(records, objective):
        row = _row(record)
        if further:
            shown = {o.metric: record.values[o.metric] for o in further if o.metric in record.values}
            row = replace(row, further=shown, on_front=record.number in on_front)
        if values := seeds.get(_configuration(record)) if _may_rank(record) else None:
            rank = ranks.setdefault(_configuration(record), len(ranks) + 1)
            row = replace(row, rank=rank, mean=fmean(values), num_trials=len(values))
        rows.append(row)
    return rows


def current(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Without the trials that another one goes on from: that one has their measurements too."""
    extended = {record.extends for record in records}
    return [record for record in records if record.number not in extended]


def ranked(records: Sequence[TrialRecord], objective: Objective) -> list[TrialRecord]:
    """Order as the leaderboard does; equal values by number, so that the order is stable."""
    sign = -1.0 if objective.direction is Direction.MAXIMIZE else 1.0
    records = current(records)
    means = {number: fmean(values) for number, values in _by_configuration(records).items()}

    def key(record: TrialRecord) -> tuple[bool, bool, float, int, int]:
        value = means[_configuration(record)] if _may_rank(record) else _finite(record.value)
        return value is None, not _sound(record), sign * (value or 0.0), _configuration(record), record.number

    return sorted(records, key=key)


def best(records: Sequence[TrialRecord], objective: Objective) -> TrialRecord | None:
    """The trial with the best value; None when no trial has one. Of several seeds of one configuration, the first one.

    A trial that failed, or that a stop rule found ill, is best only if no other trial has a value: its value was
    measured, but the training behind it did not end well. A trial that is pruned, paused or running may be best; one
    that misses a floor never is.
    """
    first = next(iter(ranked([record for record in records if not record.violated], objective)), None)
    return None if first is None or _finite(first.value) is None else first


def counts(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Ended trials by bucket, the others by state; each trial is counted once and every key is there."""
    result = {bucket.value: 0 for bucket in Bucket} | {"running": 0, "paused": 0, "waiting": 0}
    for record in current(records):
        result[_count_key(record)] += 1
    return result


def failure_groups(records: Sequence[TrialRecord]) -> list[FailureGroup]:
    """Group failures by reason, the most frequent first."""
    groups: dict[str, list[TrialRecord]] = {}
    for record in records:
        if record.state is TrialState.FAILED:
            groups.setdefault(_reason(record), []).append(record)
    made = [FailureGroup(reason, [r.number for r in members], members[0]) for reason, members in groups.items()]
    return sorted(made, key=lambda group: (-len(group.numbers), group.numbers[0]))


def _count_key(record: TrialRecord) -> str:
    if record.bucket is not None:
        return record.bucket.value
    # Terminal without a known ending: the buckets have the names of the terminal states.
    return record.state.value.lower()


def _sound(record: TrialRecord) -> bool:
    is_ill = record.ending is not None and record.ending.cause is Cause.SICK
    return record.state is not TrialState.FAILED and not is_ill and not record.violated


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _reason(record: TrialRecord) -> str:
    return record.ending.reason if record.ending else ""


def _may_rank(record: TrialRecord) -> bool:
    return _finite(record.value) is not None and _sound(record)


def _configuration(record: TrialRecord) -> int:
    """The number of the first trial with its configuration, before it was extended."""
    if record.replicate_of is not None:
        return record.replicate_of
    return record.number if record.extends is None else record.extends


def _by_configuration(records: Sequence[TrialRecord]) -> dict[int, list[float]]:
    """The values of each configuration's trials that may be ranked."""
    found: dict[int, list[float]] = {}
    for record in records:
        if _may_rank(record) and record.value is not None:
            found.setdefault(_configuration(record), []).append(record.value)
    return found


def _row(record: TrialRecord) -> Row:
    return Row(
        rank=None,
        number=record.number,
        state=record.state,
        reason=_reason(record),
        value=record.value,
        best_step=record.best_step,
        epochs=record.epochs,
        train_s=record.train_s,
        params=record.params,
        run_id=record.run_id,
        violated=record.violated,
    )
