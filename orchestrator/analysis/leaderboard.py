"""Ranking and counting trials: pure functions over trial records.

Called by `sweeps`; knows no files and no terminal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import Bucket, Cause, TrialRecord, TrialState, Value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a leaderboard; `rank` is None for a trial without a value or without a right to a rank."""

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


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures with the same reason; `example` is the first of them."""

    reason: str
    numbers: Sequence[int]
    example: TrialRecord


def leaderboard(records: Sequence[TrialRecord], objective: Objective) -> list[Row]:
    """Best first; then the trials that can not be best, also best first; then those without a value, by number."""
    rows: list[Row] = []
    for record in ranked(records, objective):
        rank = len(rows) + 1 if _finite(record.value) is not None and _sound(record) else None
        rows.append(_row(record, rank))
    return rows


def current(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Without the trials that another one goes on from: that one has their measurements too."""
    extended = {record.extends for record in records}
    return [record for record in records if record.number not in extended]


def ranked(records: Sequence[TrialRecord], objective: Objective) -> list[TrialRecord]:
    """Order as the leaderboard does; equal values by number, so that the order is stable."""
    sign = -1.0 if objective.direction is Direction.MAXIMIZE else 1.0

    def key(record: TrialRecord) -> tuple[bool, bool, float, int]:
        value = _finite(record.value)
        return value is None, not _sound(record), sign * (value or 0.0), record.number

    return sorted(records, key=key)


def best(records: Sequence[TrialRecord], objective: Objective) -> TrialRecord | None:
    """The trial with the best value; None when no trial has one.

    A trial that failed, or that a stop rule found ill, is best only if no other trial has a value: its value was
    measured, but the training behind it did not end well. A trial that is pruned, paused or running may be best.
    """
    first = next(iter(ranked(records, objective)), None)
    return None if first is None or _finite(first.value) is None else first


def counts(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Ended trials by bucket, the others by state; each trial is counted once and every key is there."""
    result = {bucket.value: 0 for bucket in Bucket} | {"running": 0, "paused": 0, "waiting": 0}
    for record in records:
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
    return record.state is not TrialState.FAILED and (record.ending is None or record.ending.cause is not Cause.SICK)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _reason(record: TrialRecord) -> str:
    return record.ending.reason if record.ending else ""


def _row(record: TrialRecord, rank: int | None) -> Row:
    return Row(
        rank=rank,
        number=record.number,
        state=record.state,
        reason=_reason(record),
        value=record.value,
        best_step=record.best_step,
        epochs=record.epochs,
        train_s=record.train_s,
        params=record.params,
        run_id=record.run_id,
    )
