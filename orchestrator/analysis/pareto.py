"""Which trials no other one beats in every objective. Called for leaderboards and summaries; knows no sampler."""

from collections.abc import Sequence

from orchestrator.spec.model import Direction, Objective
from orchestrator.trial import TrialRecord, TrialState


def candidates(records: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    """The trials that may be on the front, by number: full-length ones that keep every floor and have every value."""
    found = [record for record in records if record.state is TrialState.COMPLETE and not record.violated]
    return sorted(
        (record for record in found if all(o.metric in record.values for o in objectives)), key=lambda r: r.number
    )


def losses(record: TrialRecord, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The values of a trial, signed so that less is better."""
    return tuple(record.values[o.metric] * (-1 if o.direction is Direction.MAXIMIZE else 1) for o in objectives)


def front(records: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    """The trials that no other one dominates, by number; of equal ones all.

    One trial dominates another if it is at least as good in each objective and better in one.
    """
    found: list[tuple[float, ...]] = []
    # In this order only an earlier point can dominate a later one.
    for point in sorted({losses(record, objectives) for record in candidates(records, objectives)}):
        if not any(_at_least_as_good(earlier, point) for earlier in found):
            found.append(point)
    return [record for record in candidates(records, objectives) if losses(record, objectives) in found]


def _at_least_as_good(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))
